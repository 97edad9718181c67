import type { PlannedChange } from '../plan/host-plan.ts';
import type { PlanNode } from '../plan/graph.ts';
import type { ResourceId } from '../resources/state.ts';

/** Nodes that are executed together, in one round trip. */
export interface Batch {
  readonly kind: 'plain' | 'packages' | 'transaction';
  readonly changes: readonly PlannedChange[];
}

export type Changes = ReadonlyMap<ResourceId, PlannedChange>;

function changesOf(node: PlanNode, changes: Changes): readonly PlannedChange[] {
  return node.members.flatMap((member) => changes.get(member.id) ?? []);
}

/** A service whose files change goes live as a whole; where only the service changes it is a plain change. */
export function isTransaction(node: PlanNode, changes: Changes): boolean {
  return (
    node.validatedBy !== undefined &&
    changesOf(node, changes).some((change) => change.id !== node.validatedBy?.id)
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
 * What to execute next of the nodes that are ready: files and the like together, then packages as one
 * transaction, then services, so that one request does as much as the order allows.
 */
export function nextBatch(ready: readonly PlanNode[], changes: Changes, isGuarded: IsGuarded): Batch {
  const transactions = ready.filter((node) => isTransaction(node, changes));
  const others = ready
    .filter((node) => !transactions.includes(node))
    .flatMap((node) => changesOf(node, changes));
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
