import { HostwrightError } from '../errors.ts';
import { above, isWithin, pathOf, readAt } from '../resources/path.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import type { ResourceId } from '../resources/state.ts';
import { didYouMean } from '../suggestion.ts';

/**
 * Resources that change together: one alone, or a service with the files below the trees that it validates
 * as a whole.
 */
export interface PlanNode {
  /** Each after those that it needs. */
  readonly members: readonly DeclaredResource[];
  /** The service whose configuration goes live as a whole. */
  readonly validatedBy?: DeclaredResource;
  /** Nodes that come first. */
  readonly after: readonly PlanNode[];
}

const stages = { source: 0, package: 1, configuration: 2, service: 3 };

function stageOf(resource: DeclaredResource): number {
  return stages[resource.type.order?.stage ?? 'configuration'];
}

type Edges = Map<ResourceId, Set<ResourceId>>;

function addEdge(edges: Edges, later: ResourceId, earlier: ResourceId): void {
  if (later !== earlier) edges.get(later)?.add(earlier);
}

/** Each with those that need it directly. */
function reversed(edges: Edges): Edges {
  const dependents: Edges = new Map([...edges.keys()].map((id) => [id, new Set<ResourceId>()]));
  for (const [id, earlier] of edges) for (const other of earlier) addEdge(dependents, other, id);
  return dependents;
}

/** Everything that can be reached from some resources along the edges. */
function closure(edges: Edges, from: readonly ResourceId[]): ReadonlySet<ResourceId> {
  const found = new Set<ResourceId>();
  const queue = [...from];
  for (const id of queue) {
    for (const next of edges.get(id) ?? []) {
      if (!found.has(next)) queue.push(next);
      found.add(next);
    }
  }
  return found;
}

/** What is said outright: `needs`, and what a type derives from its attributes. */
function declaredEdges(host: string, resources: ReadonlyMap<ResourceId, DeclaredResource>): Edges {
  const edges: Edges = new Map([...resources.keys()].map((id) => [id, new Set<ResourceId>()]));
  for (const resource of resources.values()) {
    for (const id of resource.needs) {
      if (!resources.has(id)) {
        throw new HostwrightError(
          'E_RESOURCE',
          `${resource.id} needs ${id}, which no role declares on ${host}`,
          {
            place: { host, resource: resource.id },
            hint: didYouMean(id, resources.keys()) ?? 'declare it, or remove it from "needs"',
          },
        );
      }
      addEdge(edges, resource.id, id);
    }
    const derived = [
      ...(resource.type.order?.after?.(resource.desired) ?? []),
      ...readAt(resource).flatMap(above),
    ];
    for (const id of derived) {
      const earlier = resources.get(id);
      if (earlier === undefined) continue;
      // What lies in a directory that is to go must be gone before it.
      if (earlier.type.want(earlier.desired) === null) addEdge(edges, id, resource.id);
      else addEdge(edges, resource.id, id);
    }
  }
  return edges;
}

/** What a service reads or validates comes before it: it could not take it up in the same run otherwise. */
function addReadEdges(
  edges: Edges,
  resources: readonly DeclaredResource[],
  validators: ReadonlyMap<ResourceId, DeclaredResource>,
): void {
  for (const service of resources) {
    const read = (service.type.runtime?.triggers(service.desired) ?? []).flatMap((trigger) => trigger.paths);
    if (read.length === 0) continue;
    for (const member of resources) {
      const path = pathOf(member);
      if (path !== undefined && read.some((tree) => isWithin(path, tree)))
        addEdge(edges, service.id, member.id);
    }
  }
  for (const [id, service] of validators) addEdge(edges, service.id, id);
}

/** The edges between nodes: a service and the files that it validates count as the service. */
function nodeEdges(edges: Edges, headOf: (id: ResourceId) => ResourceId): Edges {
  const nodes: Edges = new Map([...edges.keys()].map((id) => [headOf(id), new Set<ResourceId>()]));
  for (const [id, earlier] of edges) for (const other of earlier) addEdge(nodes, headOf(id), headOf(other));
  return nodes;
}

/** For each role and stage what comes in an earlier stage of the role, in the order of declaration. */
function earlierStages(
  resources: readonly DeclaredResource[],
): (later: DeclaredResource) => readonly DeclaredResource[] {
  const found = new Map<string, readonly DeclaredResource[]>();
  return (later) => {
    const key = `${stageOf(later)} ${later.role}`;
    const known = found.get(key);
    if (known !== undefined) return known;
    const earlier = resources.filter(
      (resource) => resource.role === later.role && stageOf(resource) < stageOf(later),
    );
    found.set(key, earlier);
    return earlier;
  };
}

/**
 * What follows from the stages of a role, unless the contrary is said outright or follows already: an order
 * that nobody asked for must not close a circle.
 */
function addStageEdges(
  edges: Edges,
  resources: readonly DeclaredResource[],
  validators: ReadonlyMap<ResourceId, DeclaredResource>,
): void {
  const headOf = (id: ResourceId): ResourceId => validators.get(id)?.id ?? id;
  const dependents = reversed(nodeEdges(edges, headOf));
  const earlierOf = earlierStages(resources);
  for (const later of resources) {
    const allEarlier = earlierOf(later);
    if (allEarlier.length === 0) continue;
    const after = headOf(later.id);
    // What needs `later` stays the same while `later` comes to need more.
    const dependent = closure(dependents, [after]);
    for (const earlier of allEarlier) {
      const before = headOf(earlier.id);
      const isForAnother =
        stageOf(later) === stages.service && (validators.get(earlier.id) ?? later).id !== later.id;
      if (isForAnother || before === after || dependent.has(before)) continue;
      addEdge(dependents, before, after);
      addEdge(edges, later.id, earlier.id);
    }
  }
}

/** The play in which a resource can be made: its own, or a later one that brings what it needs. */
function duePlays(edges: Edges, resources: readonly DeclaredResource[]): (id: ResourceId) => number {
  const plays = new Map(resources.map(({ id, play }) => [id, play]));
  const known = new Map<ResourceId, number>();
  const due = (id: ResourceId): number => {
    const found = known.get(id);
    if (found !== undefined) return found;
    // A circle ends here; it is named when the nodes are put into order.
    known.set(id, plays.get(id) ?? 0);
    const play = Math.max(plays.get(id) ?? 0, ...[...(edges.get(id) ?? [])].map(due));
    known.set(id, play);
    return play;
  };
  return due;
}

/**
 * What lies in the trees of a service and cannot be tried in a copy, such as a line, is made before the rest
 * goes live; so is the directory that holds it.
 */
function releaseNeeded(
  edges: Edges,
  service: DeclaredResource,
  inTrees: readonly DeclaredResource[],
  validators: Map<ResourceId, DeclaredResource>,
): void {
  const outside = inTrees.map(({ id }) => id).filter((id) => validators.get(id) !== service);
  for (const id of closure(edges, outside)) {
    if (id !== service.id && validators.get(id) === service) validators.delete(id);
  }
}

/** Which service validates the tree that a resource lies in, if any. */
function groupByTransaction(
  edges: Edges,
  resources: readonly DeclaredResource[],
): ReadonlyMap<ResourceId, DeclaredResource> {
  const validators = new Map<ResourceId, DeclaredResource>();
  const playOf = duePlays(edges, resources);
  for (const service of resources) {
    const transaction = service.type.runtime?.transaction?.(service.desired);
    if (transaction === undefined) continue;
    validators.set(service.id, service);
    const inTrees = resources.filter((member) => {
      const path = pathOf(member);
      return path !== undefined && transaction.trees.some((tree) => isWithin(path, tree));
    });
    for (const member of inTrees) {
      const path = pathOf(member);
      // What an earlier play writes goes live with that play: others may need it before this service does.
      if (path === undefined || member.type.files?.staged === undefined) continue;
      if (playOf(member.id) < service.play) continue;
      if (validators.has(member.id)) continue;
      // A directory that is itself a tree is made beforehand; a file, a link or what it removes goes live with the rest.
      const { files } = member.type;
      const isMadeBefore = files.staged === 'below' && files.clears?.(member.desired) !== true;
      if (isMadeBefore && transaction.trees.includes(path)) continue;
      validators.set(member.id, service);
    }
    releaseNeeded(edges, service, inTrees, validators);
  }
  return validators;
}

function circle(host: string, trail: readonly ResourceId[], id: ResourceId): HostwrightError {
  const ids = [...trail.slice(trail.indexOf(id)), id].join(' → ');
  return new HostwrightError('E_RESOURCE', `resources need each other in a cycle: ${ids}`, {
    place: { host, resource: id },
    hint: 'remove one of these from "needs"',
  });
}

/** The members of one node, each after those that it needs. */
function inOrder(
  host: string,
  members: readonly DeclaredResource[],
  edges: Edges,
): readonly DeclaredResource[] {
  if (members.length === 1) return members;
  const ordered = new Set<DeclaredResource>();
  const trail = new Set<ResourceId>();
  const visit = (member: DeclaredResource): void => {
    if (ordered.has(member)) return;
    if (trail.has(member.id)) throw circle(host, [...trail], member.id);
    trail.add(member.id);
    for (const earlier of members) {
      if (earlier !== member && edges.get(member.id)?.has(earlier.id) === true) visit(earlier);
    }
    trail.delete(member.id);
    ordered.add(member);
  };
  for (const member of members) visit(member);
  return [...ordered];
}

/**
 * The nodes of a host in an order that respects every dependency; resources without one keep the order of
 * their declaration. E_RESOURCE names a circle, or a need that nobody declares.
 */
export function orderNodes(host: string, declared: readonly DeclaredResource[]): readonly PlanNode[] {
  const resources = new Map(declared.map((resource) => [resource.id, resource]));
  const edges = declaredEdges(host, resources);
  const validators = groupByTransaction(edges, declared);
  addReadEdges(edges, declared, validators);
  addStageEdges(edges, declared, validators);
  const headOf = (id: ResourceId): ResourceId => validators.get(id)?.id ?? id;
  const members = new Map<ResourceId, DeclaredResource[]>();
  for (const resource of declared) {
    const own = members.get(headOf(resource.id));
    if (own === undefined) members.set(headOf(resource.id), [resource]);
    else own.push(resource);
  }

  const done = new Map<ResourceId, PlanNode>();
  const order: PlanNode[] = [];
  const trail = new Set<ResourceId>();
  const visit = (head: ResourceId): PlanNode => {
    const known = done.get(head);
    if (known !== undefined) return known;
    if (trail.has(head)) throw circle(host, [...trail], head);
    trail.add(head);
    const own = inOrder(host, members.get(head) ?? [], edges);
    const earlier = new Set<ResourceId>();
    for (const member of own) for (const id of edges.get(member.id) ?? []) earlier.add(headOf(id));
    earlier.delete(head);
    const after = [...earlier].map(visit);
    const validatedBy = validators.get(head);
    const node: PlanNode =
      validatedBy === undefined ? { members: own, after } : { members: own, after, validatedBy };
    trail.delete(head);
    done.set(head, node);
    order.push(node);
    return node;
  };
  for (const resource of declared) visit(headOf(resource.id));
  return order;
}
