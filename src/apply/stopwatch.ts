/** When the step of a change began, in milliseconds since the start of the run, and how many it took. */
export interface Timing {
  readonly at: number;
  readonly ms: number;
  /** The number of the step on its host. */
  readonly step: number;
}

/** Measures and numbers the steps of one host. */
export interface Stopwatch {
  /** Milliseconds since the start of the run. */
  now(): number;
  nextStep(): number;
}

/** `start` is when the run began, ISO 8601: also in a worker that was started later. */
export function startStopwatch(start: string): Stopwatch {
  const begun = Date.parse(start);
  let steps = 0;
  return {
    now: () => Math.max(0, Math.round(performance.timeOrigin + performance.now() - begun)),
    nextStep: () => (steps += 1),
  };
}

/** Begins a step; gives what to call at its end. */
export function beginStep(stopwatch: Stopwatch): () => Timing {
  const step = stopwatch.nextStep();
  const at = stopwatch.now();
  return () => ({ at, ms: stopwatch.now() - at, step });
}
