import type { DeclaredResource, Resource, ResourceId } from '../../src/resources/resource.ts';

/** A resource as the site model hands it to the planner. */
export function placed(resource: Resource, role = 'web', play = 0): DeclaredResource {
  const desired = resource.type.schema.parse(resource.attributes);
  const id: ResourceId = `${resource.type.name}:${resource.type.key(desired)}`;
  return { id, type: resource.type, desired, needs: resource.needs ?? [], role, play };
}
