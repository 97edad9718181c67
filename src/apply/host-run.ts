import type { HostPlan, PlannedChange } from '../plan/host-plan.ts';
import type { NoticeEvent, ResultEvent, StepEvent } from '../plan/event.ts';
import type { ResourceId } from '../resources/state.ts';
import type { Transport } from '../transport/transport.ts';
import type { Login } from '../resources/capabilities/access.ts';
import type { HostJournal } from './journal.ts';
import type { Stopwatch, Timing } from './stopwatch.ts';

export type Outcome = ResultEvent['outcome'];

/** What is told of a host while it is worked on. */
export type WorkEvent = StepEvent | ResultEvent | NoticeEvent;

/** Why a change was left out that nothing stood in the way of. */
export const interrupted = 'interrupted';

/** A host while its plan is carried out, over all plays. */
export interface HostRun {
  readonly plan: HostPlan;
  readonly transport: Transport;
  /** Opens another connection to it, from the beginning. */
  readonly reconnect: () => Promise<Transport>;
  /** Who the connection was opened as: this must stay possible. */
  readonly login: Login | undefined;
  /** Seconds for a fresh connection after a change that may cut this one off, until the host rolls it back. */
  readonly confirmWithin: number;
  readonly outcomes: Map<ResourceId, Outcome>;
  readonly report: (event: WorkEvent) => void;
  readonly stopwatch: Stopwatch;
  readonly journal: HostJournal;
  /** Once aborted the step in hand is finished and no other is begun. */
  readonly signal: AbortSignal;
}

/** Notes and reports how a change ended; `timing` is undefined where no step was begun for it. */
export function recordOutcome(
  run: HostRun,
  change: PlannedChange,
  outcome: Outcome,
  timing: Timing | undefined,
  reason?: string,
): void {
  run.outcomes.set(change.id, outcome);
  run.report({
    type: 'result',
    host: run.plan.host,
    role: change.resource.role,
    resource: change.id,
    action: change.action,
    outcome,
    ...(timing === undefined ? { ms: 0 } : timing),
    ...(reason === undefined ? {} : { reason }),
  });
}
