/** Series over time, in promtool's notation, and the alerts that fire at a time, by the labels that matter. */
export interface RuleCase {
  readonly what: string;
  /** Between two values of a series; default 30s. */
  readonly interval?: string;
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  /** By labels that tell them apart. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}
