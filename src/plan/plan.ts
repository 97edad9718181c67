import { defect, HostwrightErrors, isExpected, type HostwrightError } from '../errors.ts';
import { isGoing, isWithin, pathOf, readAt, removedPaths, replaces } from '../resources/path.ts';
import type { Planned } from '../resources/capabilities/order.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import { Unreadable, type Actual, type ResourceId, type State } from '../resources/state.ts';
import { compare } from './compare.ts';
import type { PlanNode } from './graph.ts';
import type { HostPlan, PlannedChange } from './host-plan.ts';
import type { Mount } from './mounts.ts';
import { refusal } from './refusal.ts';

/** What will be different once the plan is carried out. */
function isComing(change: PlannedChange | undefined): change is PlannedChange {
  return change !== undefined && change.unreadable === undefined;
}

/** The nearest change among what comes before a node, through nodes that do not change. */
function pendingBefore(
  node: PlanNode,
  changes: ReadonlyMap<ResourceId, PlannedChange>,
): ResourceId | undefined {
  const queue = [...node.after];
  const seen = new Set(queue);
  for (const earlier of queue) {
    const change = earlier.members.findLast((member) => isComing(changes.get(member.id)));
    if (change !== undefined) return change.id;
    for (const next of earlier.after) {
      if (!seen.has(next)) queue.push(next);
      seen.add(next);
    }
  }
  return undefined;
}

function isPackageToCome(change: PlannedChange | undefined): boolean {
  return change?.action === 'create' && change.resource.type.order?.stage === 'package';
}

/** A package that is still to come and that `resource` names as what it needs: it may bring what must not be. */
function pendingPackage(
  resource: DeclaredResource,
  changes: ReadonlyMap<ResourceId, PlannedChange>,
): ResourceId | undefined {
  return resource.needs.find((id) => isPackageToCome(changes.get(id)));
}

/** The same of any package before a node. */
function packageBefore(
  node: PlanNode,
  changes: ReadonlyMap<ResourceId, PlannedChange>,
): ResourceId | undefined {
  const queue = new Set(node.after);
  for (const earlier of queue) {
    const found = earlier.members.find(({ id }) => isPackageToCome(changes.get(id)));
    if (found !== undefined) return found.id;
    for (const next of earlier.after) queue.add(next);
  }
  return undefined;
}

/** What a change removes: what it finds at its own path, or in a folder. */
function removedOf(change: PlannedChange): readonly string[] {
  const own = change.action === 'delete' ? pathOf(change.resource) : undefined;
  return [...(own === undefined ? [] : [own]), ...removedPaths(change.resource, change)];
}

/** The path that a change makes, or makes different. */
function madePath(change: PlannedChange): string | undefined {
  const removed = removedOf(change);
  const isAll = change.action === 'delete' || (removed.length > 0 && change.attributes.length === 1);
  return isAll ? undefined : pathOf(change.resource);
}

/** A service whose files change is due for a reload or a restart, unless it starts anyway. */
function triggered(
  { type, desired }: DeclaredResource,
  actual: State | null,
  changes: ReadonlyMap<ResourceId, PlannedChange>,
): 'reload' | 'restart' | undefined {
  const { runtime } = type;
  if (runtime === undefined) return undefined;
  const coming = [...changes.values()].filter(isComing);
  const hasRead = (action: 'reload' | 'restart', path: string): boolean =>
    actual === null || runtime.mayHaveRead?.(actual, action, path) !== false;
  const touches = (action: 'reload' | 'restart', tree: string): boolean =>
    coming.some((change) => {
      const made = madePath(change);
      if (made !== undefined && isWithin(made, tree)) return true;
      if (made !== undefined && replaces(change) && isWithin(tree, made)) return true;
      return removedOf(change).some(
        (path) => (isWithin(path, tree) || isWithin(tree, path)) && hasRead(action, path),
      );
    });
  const due = runtime
    .triggers(desired)
    .filter(({ action, paths }) => paths.some((tree) => touches(action, tree)))
    .map(({ action }) => action);
  return due.includes('restart') ? 'restart' : due[0];
}

/** Whether the plan removes what is at a path: what it removes of others, and what `goes` says of its own. */
function removedBy(
  changes: ReadonlyMap<ResourceId, PlannedChange>,
  goes: (change: PlannedChange) => boolean,
): (path: string) => boolean {
  const going = [...changes.values()].filter(isComing).flatMap((change) => {
    const own = pathOf(change.resource);
    return [...removedPaths(change.resource, change), ...(own !== undefined && goes(change) ? [own] : [])];
  });
  return (path) => going.some((removed) => isWithin(path, removed));
}

/** What nobody declares and a service would take up, unless this plan removes it. */
function takenUp(
  { type }: DeclaredResource,
  actual: State | null,
  changes: ReadonlyMap<ResourceId, PlannedChange>,
): readonly string[] {
  const paths = actual === null ? [] : (type.runtime?.takesUp?.(actual) ?? []);
  if (paths.length === 0) return [];
  const isGone = removedBy(changes, replaces);
  return paths.filter((path) => !isGone(path));
}

/** What runs is as before once something is gone that it has never read. */
function withoutGone(
  { type }: DeclaredResource,
  actual: State | null,
  changes: ReadonlyMap<ResourceId, PlannedChange>,
): State | null {
  if (actual === null || type.runtime?.withoutPaths === undefined) return actual;
  const isGone = removedBy(changes, ({ action }) => action === 'delete');
  return type.runtime.withoutPaths(actual, isGone);
}

/** What there will be of a resource once what comes first is changed. */
function foreseen(resource: DeclaredResource, found: Actual, planned: Planned): Actual {
  if (found instanceof Unreadable) return found;
  const { type, desired } = resource;
  const left = readAt(resource).some((path) => isGoing(path, planned)) ? null : found;
  return type.order?.foresee === undefined ? left : type.order.foresee(desired, left, planned);
}

function planResource(
  resource: DeclaredResource,
  node: PlanNode,
  found: Actual,
  changes: ReadonlyMap<ResourceId, PlannedChange>,
): PlannedChange | undefined {
  const { id, type, desired } = resource;
  const left = foreseen(resource, found, (earlier) => {
    const change = changes.get(earlier);
    return isComing(change) ? change : undefined;
  });
  const actual = left instanceof Unreadable ? left : withoutGone(resource, left, changes);
  if (actual instanceof Unreadable) {
    const knownAfter = pendingBefore(node, changes);
    if (knownAfter === undefined) {
      const nothing = { action: 'update', attributes: [] } as const;
      return { id, resource, desired, actual: null, ...nothing, unreadable: actual.reason };
    }
    const difference = compare(type, desired, null) ?? { action: 'delete', attributes: [] };
    return { id, resource, desired, actual: null, ...difference, knownAfter };
  }
  const difference = compare(type, desired, actual);
  // Absent, as declared.
  if (difference === undefined && actual === null) {
    const knownAfter = pendingPackage(resource, changes);
    if (knownAfter !== undefined) {
      return { id, resource, desired, actual: null, action: 'delete', attributes: [], knownAfter };
    }
  }
  if (type.files?.clears?.(desired) === true) {
    const knownAfter =
      pendingPackage(resource, changes) ?? (actual === null ? packageBefore(node, changes) : undefined);
    const known = difference ?? { action: 'update', attributes: [] };
    if (knownAfter !== undefined) return { id, resource, desired, actual, ...known, knownAfter };
  }
  const due = triggered(resource, actual, changes);
  const all = due === undefined ? difference : type.runtime?.whenDue(due, difference);
  const taken = takenUp(resource, actual, changes);
  const known = { id, resource, desired, actual, ...(taken.length === 0 ? {} : { takesUp: taken }) };
  if (all !== undefined) return { ...known, ...all };
  if (due === undefined) return undefined;
  return { ...known, action: due, attributes: [], isTriggered: true };
}

/** A defect of a type is said of the resource that shows it. */
function planSafely(
  host: string,
  resource: DeclaredResource,
  ...rest: readonly [PlanNode, Actual, ReadonlyMap<ResourceId, PlannedChange>]
): PlannedChange | undefined {
  try {
    return planResource(resource, ...rest);
  } catch (error) {
    if (isExpected(error)) throw error;
    const place = { host, resource: resource.id };
    throw defect('E_PROBE', `the resource type ${resource.type.name} fails`, place, error);
  }
}

/**
 * The changes of a host, from what its probes found; `declared` are the resources of all of its roles. Pure: the same
 * states give the same plan. Throws all E_REFUSED of the host together.
 */
export function planHost(
  host: string,
  resources: readonly DeclaredResource[],
  nodes: readonly PlanNode[],
  found: ReadonlyMap<ResourceId, Actual>,
  mounts: readonly Mount[] = [],
  declared: readonly DeclaredResource[] = resources,
): HostPlan {
  const changes = new Map<ResourceId, PlannedChange>();
  const refused: HostwrightError[] = [];
  for (const node of nodes) {
    // The service that validates the others is due for a reload only once they are planned.
    const last = node.validatedBy;
    const members =
      last === undefined ? node.members : [...node.members.filter((member) => member !== last), last];
    for (const resource of members) {
      const change = planSafely(host, resource, node, found.get(resource.id) ?? null, changes);
      if (change !== undefined) changes.set(resource.id, change);
      const error = refusal(host, resource, change, mounts);
      if (error !== undefined) refused.push(error);
    }
  }
  if (refused.length > 0) throw new HostwrightErrors(refused);
  return { host, resources, declared, nodes, changes };
}
