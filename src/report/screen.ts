/** Where a run shows its progress. */
export interface Screen {
  /** Lines that stay. */
  print(lines: readonly string[]): void;
  /** Lets `write` write to another output that may be the same terminal. */
  aside(write: () => void): void;
  /** What hosts do has changed. */
  refresh(): void;
  /** A second has passed. */
  tick(): void;
  /** Takes away what does not stay. */
  clear(): void;
}
