/** What Prometheus answers, as far as the page reads it. */

export type Labels = Readonly<Record<string, string>>;

/** Unix times in seconds, with the values as Prometheus writes them. */
export type Points = readonly (readonly [number, string])[];

export interface Series {
  readonly metric: Labels;
  readonly values: Points;
}

export interface Alert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'pending' | 'firing';
  /** ISO 8601. */
  readonly activeAt: string;
}

export interface Span {
  /** Unix times in seconds, multiples of `step`. */
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Seconds that one point of a graph is made from. */
  readonly window: number;
}
