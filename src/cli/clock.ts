/** How long a run takes, without the time in which it waits for a person. */
export interface Clock {
  /** Seconds. */
  elapsed(): number;
  /** Stands still until `waiting` has ended. */
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
