import { HostwrightError } from '../errors.ts';
import { isWithin } from '../resources/path.ts';
import type { DeclaredResource, ResourceId } from '../resources/resource.ts';
import { didYouMean } from '../suggestion.ts';

/**
 * Resources that change together: one alone, or a service with the files below the trees that it validates
 * as a whole.
 */
export interface Unit {
  /** Each after those that it needs. */
  readonly members: readonly DeclaredResource[];
  /** The service whose configuration goes live as a whole. */
  readonly validatedBy?: DeclaredResource;
  /** Units that come first. */
  readonly after: readonly Unit[];
}

const stages = { source: 0, package: 1, configuration: 2, service: 3 };

function stageOf(resource: DeclaredResource): number {
  return stages[resource.type.stage ?? 'configuration'];
}

type Edges = Map<ResourceId, Set<ResourceId>>;

function addEdge(edges: Edges, later: ResourceId, earlier: ResourceId): void {
  if (later !== earlier) edges.get(later)?.add(earlier);
}

function reaches(edges: Edges, from: ResourceId, to: ResourceId, seen = new Set<ResourceId>()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return [...(edges.get(from) ?? [])].some((next) => reaches(edges, next, to, seen));
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
            hint: didYouMean(id, resources.keys()) ?? 'declare it, or take it out of "needs"',
          },
        );
      }
      addEdge(edges, resource.id, id);
    }
    for (const id of resource.type.after?.(resource.desired) ?? []) {
      const earlier = resources.get(id);
      if (earlier === undefined) continue;
      // What lies in a directory that is to go must be gone before it.
      if (earlier.type.want(earlier.desired) === null) addEdge(edges, id, resource.id);
      else addEdge(edges, resource.id, id);
    }
  }
  return edges;
}

/**
 * What follows from the stages of a role and from the files that a service reads, unless the contrary is said
 * outright: of `earlier` itself, or of the service that it goes live with.
 */
function addStageEdges(
  edges: Edges,
  resources: readonly DeclaredResource[],
  validators: ReadonlyMap<ResourceId, DeclaredResource>,
): void {
  const explicit = new Map([...edges].map(([id, earlier]) => [id, new Set(earlier)]));
  for (const later of resources) {
    const read = (later.type.triggers?.(later.desired) ?? []).flatMap((trigger) => trigger.paths);
    for (const earlier of resources) {
      const path = earlier.type.path?.(earlier.desired);
      const isRead = path !== undefined && read.some((tree) => isWithin(path, tree));
      const isForAnother =
        stageOf(later) === stages.service && (validators.get(earlier.id) ?? later).id !== later.id;
      const isStaged = later.role === earlier.role && stageOf(earlier) < stageOf(later) && !isForAnother;
      const head = validators.get(earlier.id)?.id ?? earlier.id;
      if (!isRead && !isStaged) continue;
      if (reaches(explicit, earlier.id, later.id) || (head !== later.id && reaches(explicit, head, later.id)))
        continue;
      addEdge(edges, later.id, earlier.id);
    }
  }
}

/** Which service validates the tree that a resource lies in, if any. */
function groupByTransaction(
  resources: readonly DeclaredResource[],
): ReadonlyMap<ResourceId, DeclaredResource> {
  const validators = new Map<ResourceId, DeclaredResource>();
  for (const service of resources) {
    const transaction = service.type.transaction?.(service.desired);
    if (transaction === undefined) continue;
    validators.set(service.id, service);
    for (const member of resources) {
      const path = member.type.path?.(member.desired);
      if (path === undefined || member.type.staged !== true || member.play !== service.play) continue;
      if (validators.has(member.id)) continue;
      // A directory that is itself a tree is made beforehand; a file or a link goes live with the rest.
      const isTree = member.type.name === 'directory' && transaction.trees.includes(path);
      if (!isTree && transaction.trees.some((tree) => isWithin(path, tree)))
        validators.set(member.id, service);
    }
  }
  return validators;
}

/** The members of one unit, each after those that it needs. */
function inOrder(members: readonly DeclaredResource[], edges: Edges): readonly DeclaredResource[] {
  const ordered = new Set<DeclaredResource>();
  const visit = (member: DeclaredResource): void => {
    if (ordered.has(member)) return;
    for (const earlier of members) {
      if (earlier !== member && edges.get(member.id)?.has(earlier.id) === true) visit(earlier);
    }
    ordered.add(member);
  };
  for (const member of members) visit(member);
  return [...ordered];
}

/**
 * The units of a host in an order that respects every dependency; resources without one keep the order of
 * their declaration. E_RESOURCE names a circle, or a need that nobody declares.
 */
export function orderUnits(host: string, declared: readonly DeclaredResource[]): readonly Unit[] {
  const resources = new Map(declared.map((resource) => [resource.id, resource]));
  const edges = declaredEdges(host, resources);
  const validators = groupByTransaction(declared);
  addStageEdges(edges, declared, validators);
  const headOf = (id: ResourceId): ResourceId => validators.get(id)?.id ?? id;
  const members = new Map<ResourceId, DeclaredResource[]>();
  for (const resource of declared) {
    const head = headOf(resource.id);
    members.set(head, [...(members.get(head) ?? []), resource]);
  }

  const done = new Map<ResourceId, Unit>();
  const order: Unit[] = [];
  const visit = (head: ResourceId, trail: readonly ResourceId[]): Unit => {
    const known = done.get(head);
    if (known !== undefined) return known;
    if (trail.includes(head)) {
      const circle = [...trail.slice(trail.indexOf(head)), head].join(' → ');
      throw new HostwrightError('E_RESOURCE', `resources need each other in a circle: ${circle}`, {
        place: { host, resource: head },
        hint: 'take one of these out of "needs"',
      });
    }
    const own = inOrder(members.get(head) ?? [], edges);
    const earlier = new Set(own.flatMap((member) => [...(edges.get(member.id) ?? [])].map(headOf)));
    earlier.delete(head);
    const after = [...earlier].map((id) => visit(id, [...trail, head]));
    const validatedBy = validators.get(head);
    const unit: Unit =
      validatedBy === undefined ? { members: own, after } : { members: own, after, validatedBy };
    done.set(head, unit);
    order.push(unit);
    return unit;
  };
  for (const resource of declared) visit(headOf(resource.id), []);
  return order;
}
