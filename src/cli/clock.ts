/** Measures a run, without the time spent waiting for the user. */
export interface Clock {
  /** By the wall clock. */
  readonly start: Date;
  /** Seconds, of which a thousandth is the smallest difference. */
  elapsed(): number;
  /** Stops the clock until `waiting` ends. */
  pause<T>(waiting: () => Promise<T>): Promise<T>;
}

export function startClock(now: () => number = () => performance.now()): Clock {
  const start = new Date();
  const started = now();
  let paused = 0;
  return {
    start,
    elapsed: () => Math.round(now() - started - paused) / 1000,
    async pause(waiting) {
      const from = now();
      try {
        return await waiting();
      } finally {
        paused += now() - from;
      }
    },
  };
}
