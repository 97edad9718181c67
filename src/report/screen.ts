/** Where a run shows its progress. */
export interface Screen {
  /** Lines that stay. */
  print(lines: readonly string[]): void;
  /** Lets `write` write to another output that may be the same terminal. */
  aside(write: () => void): void;
  /** The running steps have changed. */
  refresh(): void;
  /** A second has passed. */
  tick(): void;
  /** Removes the live lines. */
  clear(): void;
}
