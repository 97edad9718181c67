import type { PlannedChange } from '../plan/plan.ts';
import type { Unit } from '../plan/graph.ts';
import type { ResourceId } from '../resources/state.ts';

/** Units that are executed together, in one round trip. */
export interface Batch {
  readonly kind: 'plain' | 'packages' | 'transaction';
  readonly changes: readonly PlannedChange[];
}

type Changes = ReadonlyMap<ResourceId, PlannedChange>;

function changesOf(unit: Unit, changes: Changes): readonly PlannedChange[] {
  return unit.members.flatMap((member) => changes.get(member.id) ?? []);
}

/** A service whose files change goes live as a whole; where only the service changes it is a plain change. */
function isTransaction(unit: Unit, changes: Changes): boolean {
  return (
    unit.validatedBy !== undefined &&
    changesOf(unit, changes).some((change) => change.id !== unit.validatedBy?.id)
  );
}

/** It is confirmed by a connection of its own, so nothing else goes along with it. */
type IsGuarded = (change: PlannedChange) => boolean;

/** Those that nothing guards; where there are none, one that is. */
function withoutGuarded(changes: readonly PlannedChange[], isGuarded: IsGuarded): readonly PlannedChange[] {
  const free = changes.filter((change) => !isGuarded(change));
  return free.length > 0 ? free : changes.slice(0, 1);
}

/**
 * What to execute next of the units that are ready: files and the like together, then packages as one
 * transaction, then services, so that one request does as much as the order allows.
 */
export function nextBatch(ready: readonly Unit[], changes: Changes, isGuarded: IsGuarded): Batch {
  const transactions = ready.filter((unit) => isTransaction(unit, changes));
  const others = ready
    .filter((unit) => !transactions.includes(unit))
    .flatMap((unit) => changesOf(unit, changes));
  const stage = (name: 'package' | 'service') =>
    others.filter((change) => change.resource.type.order?.stage === name);
  const packages = stage('package');
  const services = stage('service');
  const rest = others.filter((change) => !packages.includes(change) && !services.includes(change));
  if (rest.length > 0) return { kind: 'plain', changes: withoutGuarded(rest, isGuarded) };
  if (packages.length > 0) return { kind: 'packages', changes: packages };
  const [transaction] = transactions;
  if (transaction !== undefined) return { kind: 'transaction', changes: changesOf(transaction, changes) };
  return { kind: 'plain', changes: withoutGuarded(services, isGuarded) };
}
