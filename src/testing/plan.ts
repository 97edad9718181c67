import { orderNodes } from '../plan/graph.ts';
import type { PlannedChange } from '../plan/host-plan.ts';
import { planHost } from '../plan/plan.ts';
import { declaredPaths as pathsOf } from '../resources/declared-paths.ts';
import type { DeclaredPaths, DeclaredResource, Resource, ResourceType } from '../resources/resource.ts';
import type { Actual, Attribute, ResourceId, State } from '../resources/state.ts';
import { schemaProblems } from '../schema-problems.ts';

/** A resource as the site model hands it to the planner. Throws where its type refuses the attributes. */
export function placed(resource: Resource, role = 'web', play = 0): DeclaredResource {
  const { type, attributes } = resource;
  const parsed = type.schema.safeParse(attributes);
  if (!parsed.success) {
    const problems = schemaProblems(type.schema, attributes, parsed.error).map(
      ({ path, unknownKey, expected }) =>
        unknownKey === undefined
          ? `invalid ${path.join('.') || 'attributes'}: expected ${expected}`
          : `unknown attribute ${unknownKey}: expected ${expected}`,
    );
    throw new Error(`${type.name}: ${problems.join('; ')}`);
  }
  const id: ResourceId = `${type.name}:${type.key(parsed.data)}`;
  return { id, type, desired: parsed.data, needs: resource.needs ?? [], role, play };
}

/** What the probes of a host are told that declares `resources`, and nothing else. */
export function declaredPaths(resources: readonly Resource[]): DeclaredPaths {
  return pathsOf(resources.map((resource) => placed(resource)));
}

/** What a probe finds of a resource that is as declared. */
export function asDeclared<Desired extends object>(
  type: ResourceType<Desired>,
  desired: Desired,
): State | null {
  const want = type.want(desired);
  if (want === null) return null;
  const entries = Object.entries(want);
  return Object.fromEntries(entries.filter((entry): entry is [string, Attribute] => entry[1] !== undefined));
}

/** The states of a host where all of `resources` are as declared, by their ids. */
export function statesOf(resources: readonly Resource[]): Readonly<Record<ResourceId, State | null>> {
  return Object.fromEntries(
    resources
      .map((resource) => placed(resource))
      .map(({ id, type, desired }) => [id, asDeclared(type, desired)]),
  );
}

/**
 * The changes that a plan has for `resources` of one role, in their order, where probes found the states `found`.
 * What `found` does not name is absent: `planOf(resources, {})` is the plan of a bare host.
 */
export function planOf(
  resources: readonly Resource[],
  found: Readonly<Record<ResourceId, Actual>>,
): readonly PlannedChange[] {
  const declared = resources.map((resource) => placed(resource));
  const known = new Map(declared.map(({ id }) => [id, found[id] ?? null] as const));
  for (const id of Object.keys(found)) {
    if (!declared.some((resource) => resource.id === id)) throw new Error(`no resource is called ${id}`);
  }
  return [...planHost('web1', declared, orderNodes('web1', declared), known).changes.values()];
}
