import type { ActionStepEvent } from '../plan/action-event.ts';
import type { StepEvent } from '../plan/event.ts';
import type { ActionStep } from '../roles/action.ts';

export interface CarryOutOptions {
  /** Once aborted, the step in hand is finished, no other begun, and what was done is rolled back. */
  readonly signal: AbortSignal;
  readonly report: (event: ActionStepEvent | StepEvent) => void;
  readonly now?: () => number;
}

/** Why steps were not all done: errors in the order in which they came; none when it was interrupted. */
export interface CutShort {
  readonly errors: readonly unknown[];
}

/**
 * Does the steps in order. When one fails, or the signal is aborted, what has an `undo` is rolled back, the last one
 * first, up to the last final step that was done; an undo that fails does not stop the others. Gives undefined when all is done.
 */
export async function carryOutSteps(
  steps: readonly ActionStep[],
  { signal, report, now = () => performance.now() }: CarryOutOptions,
): Promise<CutShort | undefined> {
  const errors: unknown[] = [];

  const work = async (
    { host, title, run }: Pick<ActionStep, 'host' | 'title' | 'run'>,
    outcome: 'done' | 'undone',
  ): Promise<boolean> => {
    const named = { ...(host !== undefined && { host }), title };
    const started = now();
    const tell = (outcome: ActionStepEvent['outcome']): void => {
      if (host !== undefined) report({ type: 'step', host, title: null });
      report({ type: 'action-step', ...named, outcome, ms: Math.round(now() - started) });
    };
    if (host !== undefined) report({ type: 'step', host, title });
    try {
      await run();
      tell(outcome);
      return true;
    } catch (error) {
      errors.push(error);
      tell('failed');
      return false;
    }
  };

  let begun = 0;
  for (const step of steps) {
    if (signal.aborted) break;
    begun += 1;
    if (!(await work(step, 'done'))) break;
  }
  const isDone = begun === steps.length && errors.length === 0;
  if (isDone) return undefined;
  for (const { host, title } of steps.slice(begun)) {
    report({ type: 'action-step', ...(host !== undefined && { host }), title, outcome: 'skipped', ms: 0 });
  }
  const done = errors.length === 0 ? begun : begun - 1;
  const kept = steps.slice(0, done).findLastIndex(({ isFinal }) => isFinal === true) + 1;
  for (const { host, undo } of steps.slice(kept, begun).toReversed()) {
    if (undo !== undefined) await work({ ...undo, ...(host !== undefined && { host }) }, 'undone');
  }
  return { errors };
}
