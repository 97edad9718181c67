/** Measures a run, without the time spent waiting for the user. */
export interface Clock {
  /** Seconds. */
  elapsed(): number;
  /** Stops the clock until `waiting` ends. */
  pause<T>(waiting: () => Promise<T>): Promise<T>;
}

export function startClock(now: () => number = () => performance.now()): Clock {
  const started = now();
  let paused = 0;
  return {
    elapsed: () => (now() - started - paused) / 1000,
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
