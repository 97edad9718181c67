import { compare } from '../plan/compare.ts';
import type { PlannedChange } from '../plan/host-plan.ts';
import { parseProbes, type ProbeBatch } from '../plan/probe.ts';
import { Unreadable, type Actual, type Attribute, type ResourceId } from '../resources/state.ts';
import type { Answer } from '../transport/transport.ts';
import { recordOutcome, type HostRun } from './host-run.ts';
import type { Timing } from './stopwatch.ts';

function show(value: Attribute | undefined): string {
  return value === undefined || value === null ? 'absent' : String(value);
}

/** Why a changed resource still differs from its declaration; undefined when it does not. */
function remaining(change: PlannedChange, actual: Actual): string | undefined {
  if (actual instanceof Unreadable) return `cannot be read after the change: ${actual.reason}`;
  const difference = compare(change.resource.type, change.desired, actual);
  if (difference === undefined) return undefined;
  const details = difference.attributes.map(
    ({ name, from, to }) => `${name} is ${show(from)}, not ${show(to)}`,
  );
  return `did not converge: ${details.join('; ') || 'it is still there'}`;
}

/** How the step of a resource has failed. */
export interface Failure {
  readonly reason: string;
  /** Other resources may have made the step fail: what is as declared has changed nevertheless. */
  readonly isDivisible: boolean;
}

/** Reads the changed resources again: only what is now as declared counts as changed. */
export function verify(
  run: HostRun,
  changes: readonly PlannedChange[],
  failures: ReadonlyMap<ResourceId, Failure>,
  batches: readonly ProbeBatch[],
  answers: readonly Answer[],
  timing: (id: ResourceId) => Timing | undefined,
): void {
  const found = parseProbes(batches, answers);
  for (const change of changes) {
    const failure = failures.get(change.id);
    const left = remaining(change, found.get(change.id) ?? null);
    const hasFailed = failure !== undefined && (left !== undefined || !failure.isDivisible);
    const reason = hasFailed ? failure.reason : left;
    recordOutcome(run, change, reason === undefined ? 'changed' : 'failed', timing(change.id), reason);
  }
}
