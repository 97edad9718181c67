import type { ResultEvent, StepEvent } from '../plan/event.ts';

/** A step that runs on a host. */
export interface Running {
  readonly host: string;
  readonly title: string;
  /** In one request. */
  readonly steps: number;
  /** Milliseconds on the clock of the activity. */
  readonly since: number;
}

/** The steps that run on all hosts, and the progress of the plan. */
export interface Activity {
  /** Milliseconds. */
  now(): number;
  step(event: StepEvent): void;
  result(event: ResultEvent): void;
  /** Adds changes that wait to be made. */
  plan(changes: number): void;
  /** The last step of `host`, over or not. */
  lastStep(host: string): Running | undefined;
  /** In the order in which the hosts were first named. */
  running(): readonly Running[];
  /** All hosts are done. */
  settle(): void;
  readonly planned: number;
  /** Changes with a result of any kind. */
  readonly finished: number;
  readonly failed: number;
}

export function createActivity(now: () => number): Activity {
  const last = new Map<string, Running>();
  const active = new Map<string, Running | undefined>();
  let planned = 0;
  let finished = 0;
  let failed = 0;
  return {
    now,
    step({ host, title, steps = 1 }) {
      const running = title === null ? undefined : { host, title, steps, since: now() };
      active.set(host, running);
      if (running !== undefined) last.set(host, running);
    },
    result({ outcome }) {
      finished += 1;
      if (outcome === 'failed') failed += 1;
    },
    plan(changes) {
      planned += changes;
    },
    lastStep: (host) => last.get(host),
    running: () => [...active.values()].filter((step) => step !== undefined),
    settle() {
      active.clear();
    },
    get planned() {
      return planned;
    },
    get finished() {
      return finished;
    },
    get failed() {
      return failed;
    },
  };
}
