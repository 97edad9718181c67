import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostwrightError, HostwrightErrors } from '../errors.ts';
import { didYouMean } from '../suggestion.ts';
import type { Origin } from '../template/origin.ts';
import type { DeclaredResource, Resource, ResourceId } from '../resources/resource.ts';
import type { Facts, RoleContext } from '../roles/role.ts';
import { isSecret } from '../secrets/secret.ts';
import type { AssignedRole } from './declarations.ts';
import type { SiteModel } from './model.ts';

/** Deep equality in which Secrets count by what they hold. */
function isSame(a: unknown, b: unknown): boolean {
  if (isSecret(a) && isSecret(b)) return a.reveal() === b.reveal();
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const [left, right] = [Object.entries(a), Object.entries(b)];
  const other = new Map(right);
  return (
    left.length === right.length &&
    left.every(([key, value]) => other.has(key) && isSame(value, other.get(key)))
  );
}

function context(
  model: SiteModel,
  host: string,
  facts: Facts,
  assigned: AssignedRole,
): RoleContext<Record<string, unknown>> {
  const siteHost = model.hosts.get(host);
  if (siteHost === undefined) throw new HostwrightError('E_ROLE', `there is no host ${host}`);
  return {
    vars: assigned.vars,
    host: siteHost,
    facts,
    site: model.site,
    template: model.template,
    asset: (path) => readFileSync(join(assigned.folder, path)),
    projectFolder: model.folder,
  };
}

/** The template that the whole content of a file or a unit is from. */
function originOf(model: SiteModel, desired: object): Origin | undefined {
  const content: unknown = 'content' in desired ? desired.content : undefined;
  return typeof content === 'string' || isSecret(content) ? model.originOf(content) : undefined;
}

function check(
  model: SiteModel,
  host: string,
  { role: { name: role }, play }: AssignedRole,
  resource: Resource,
): DeclaredResource {
  const { type } = resource;
  const parsed = type.schema.safeParse(resource.attributes);
  if (!parsed.success) {
    throw new HostwrightErrors(
      parsed.error.issues.map((issue) => {
        const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
        const hint =
          unknownKey === undefined ? undefined : didYouMean(unknownKey, Object.keys(resource.attributes));
        return new HostwrightError(
          'E_RESOURCE',
          `the role ${role} declares a ${type.name} that is not right`,
          {
            place: { host, resource: `${type.name} ${JSON.stringify(resource.attributes).slice(0, 120)}` },
            expected: `${issue.path.map(String).join('.')}${issue.path.length > 0 ? ': ' : ''}${issue.message}`,
            ...(hint === undefined ? {} : { hint }),
          },
        );
      }),
    );
  }
  const id: ResourceId = `${type.name}:${type.key(parsed.data)}`;
  const origin = originOf(model, parsed.data);
  return {
    ...{ id, type, desired: parsed.data, needs: resource.needs ?? [], role, play },
    ...(origin === undefined ? {} : { origin }),
  };
}

/** A path is a file, a directory or a link: two that are declared for it would undo each other for ever. */
function refusePathTwice(host: string, resources: readonly DeclaredResource[]): void {
  const owners = new Map<string, DeclaredResource>();
  for (const resource of resources) {
    if (!['file', 'directory', 'link'].includes(resource.type.name)) continue;
    const path = resource.type.key(resource.desired);
    const owner = owners.get(path);
    if (owner !== undefined) {
      throw new HostwrightError('E_RESOURCE', `${owner.id} and ${resource.id} are the same path`, {
        place: { host, resource: resource.id },
        found: `one by the role ${owner.role}, another by the role ${resource.role}`,
        hint: 'declare one of them; whatever else is there gives way to it',
      });
    }
    owners.set(path, resource);
  }
}

/**
 * The second pass for one host: all resources of its roles, checked. Two roles may declare the same resource
 * in the same state; in different states it is an E_RESOURCE that names both.
 */
export function hostResources(model: SiteModel, host: string, facts: Facts): readonly DeclaredResource[] {
  const resources = new Map<ResourceId, DeclaredResource>();
  for (const assigned of model.assignments.get(host) ?? []) {
    const { role } = assigned;
    for (const declared of role.resources(context(model, host, facts, assigned))) {
      const resource = check(model, host, assigned, declared);
      const first = resources.get(resource.id);
      if (first === undefined) {
        resources.set(resource.id, resource);
      } else if (isSame(first.desired, resource.desired)) {
        resources.set(resource.id, { ...first, needs: [...new Set([...first.needs, ...resource.needs])] });
      } else {
        throw new HostwrightError('E_RESOURCE', `${resource.id} is declared in two different states`, {
          place: { host, resource: resource.id },
          found: `one by the role ${first.role}, another by the role ${role.name}`,
          hint: 'let one role declare it and the other name it in "needs"',
        });
      }
    }
  }
  refusePathTwice(host, [...resources.values()]);
  return [...resources.values()];
}
