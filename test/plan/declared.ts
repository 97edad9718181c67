import type { DeclaredResource, Resource, ResourceType } from '../../src/resources/resource.ts';
import type { Attribute, ResourceId, State } from '../../src/resources/state.ts';

/** A resource as the site model hands it to the planner. */
export function placed(resource: Resource, role = 'web', play = 0): DeclaredResource {
  const desired = resource.type.schema.parse(resource.attributes);
  const id: ResourceId = `${resource.type.name}:${resource.type.key(desired)}`;
  return { id, type: resource.type, desired, needs: resource.needs ?? [], role, play };
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
