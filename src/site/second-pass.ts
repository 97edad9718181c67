import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostwrightError, HostwrightErrors, formatPlace, isExpected, type FilePlace } from '../errors.ts';
import { askRole, shortly } from '../roles/ask.ts';
import { placeOfError, placeOfWord } from '../roles/place.ts';
import { schemaProblems } from '../schema-problems.ts';
import { nearFile } from '../suggestion.ts';
import type { Origin } from '../template/origin.ts';
import { pathOf } from '../resources/path.ts';
import { makerOf, type DeclaredResource, type Resource } from '../resources/resource.ts';
import type { ResourceId } from '../resources/state.ts';
import type { Facts, Observation, ReadBefore, RoleContext } from '../roles/role.ts';
import { isSecret } from '../secrets/secret.ts';
import type { AssignedRole } from './first-pass.ts';
import type { SiteModel } from './model.ts';

/** Deep equality; compares Secrets by their values, and contents byte by byte. */
function isSame(a: unknown, b: unknown): boolean {
  if (isSecret(a) && isSecret(b)) return a.reveal() === b.reveal();
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const [left, right] = [Object.entries(a), Object.entries(b)];
  const other = new Map(right);
  return (
    left.length === right.length &&
    left.every(([key, value]) => other.has(key) && isSame(value, other.get(key)))
  );
}

function readAsset(folder: string, path: string): Buffer {
  try {
    return readFileSync(join(folder, path));
  } catch (cause) {
    const hint = nearFile(path, [folder]);
    throw new HostwrightError('E_ROLE', `the asset "${path}" cannot be read`, {
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a path relative to the folder of the role',
      hint,
      cause,
    });
  }
}

/** What was read of hosts before their resources are made. */
interface Known extends ReadBefore {
  readonly facts: Facts;
}

const nothingRead: ReadBefore = { observed: new Map(), applied: () => false };

function context(
  model: SiteModel,
  host: string,
  { facts, observed, applied }: Known,
  assigned: AssignedRole,
): RoleContext<Record<string, unknown>> {
  const siteHost = model.hosts.get(host);
  if (siteHost === undefined) throw new HostwrightError('E_ROLE', `the inventory has no host ${host}`);
  return {
    vars: assigned.vars,
    host: siteHost,
    facts,
    site: model.site,
    observed: (name) => observed.get(name) ?? new Map<string, string>(),
    applied,
    template: model.template,
    asset: (path) => readAsset(assigned.folder, path),
    projectFolder: model.folder,
  };
}

/** The template that the whole content of a file or a unit is from. */
function originOf(model: SiteModel, desired: object): Origin | undefined {
  const content: unknown = 'content' in desired ? desired.content : undefined;
  return typeof content === 'string' || isSecret(content) ? model.originOf(content) : undefined;
}

/** The place of a resource in a role: the line of the constructor call, or that of `resources`. */
function madeAt(folder: string, resource: Resource): FilePlace {
  return placeOfError(makerOf(resource), folder) ?? placeOfWord(folder, 'resources');
}

function check(model: SiteModel, host: string, assigned: AssignedRole, resource: Resource): DeclaredResource {
  const { type, attributes } = resource;
  const {
    role: { name: role },
    play,
  } = assigned;
  const parsed = type.schema.safeParse(attributes);
  if (!parsed.success) {
    const place = madeAt(assigned.folder, resource);
    throw new HostwrightErrors(
      schemaProblems(type.schema, attributes, parsed.error).map(({ path, unknownKey, expected, hint }) => {
        const message =
          unknownKey === undefined
            ? `invalid ${path[0] ?? 'attributes'} of a ${type.name} (role ${role}, host ${host})`
            : `unknown attribute ${unknownKey} of a ${type.name} (role ${role}, host ${host})`;
        return new HostwrightError('E_RESOURCE', message, {
          place,
          found: `${type.name} ${shortly(attributes)}`,
          expected: path.length > 1 ? `${path.join('.')}: ${expected}` : expected,
          hint,
        });
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

/** A path has one owner: two resources that own it would undo each other in every run. */
function refusePathTwice(host: string, resources: readonly DeclaredResource[]): void {
  const owners = new Map<string, DeclaredResource>();
  for (const resource of resources) {
    const path = resource.type.files?.isPart === true ? undefined : pathOf(resource);
    if (path === undefined) continue;
    const owner = owners.get(path);
    if (owner !== undefined) {
      throw new HostwrightError('E_RESOURCE', `${owner.id} and ${resource.id} declare the same path`, {
        place: { host, resource: resource.id },
        found: `role ${owner.role}, and role ${resource.role}`,
        hint: 'declare only one of them: apply replaces whatever is at that path',
      });
    }
    owners.set(path, resource);
  }
}

/** Ids begin with the name of the type, so two types of one name would be taken for each other. */
function refuseNameTwice(host: string, resources: readonly DeclaredResource[]): void {
  const named = new Map<string, DeclaredResource>();
  for (const resource of resources) {
    const first = named.get(resource.type.name) ?? resource;
    named.set(resource.type.name, first);
    if (first.type === resource.type) continue;
    throw new HostwrightError('E_RESOURCE', `two resource types have the name ${resource.type.name}`, {
      place: { host, resource: resource.id },
      found: `one in the role ${first.role}, another in the role ${resource.role}`,
      hint: 'give one of them another name in defineResource',
    });
  }
}

function isResource(value: unknown): value is Resource {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    'attributes' in value &&
    typeof value.attributes === 'object' &&
    value.attributes !== null
  );
}

function resourcesOf(
  model: SiteModel,
  host: string,
  known: Known,
  assigned: AssignedRole,
): readonly Resource[] {
  return askRole({
    ...{ of: assigned, member: 'resources', host, isItem: isResource },
    ask: () => assigned.role.resources(context(model, host, known, assigned)),
    expected: 'resources, as file() and pkg() make them',
  });
}

/** Collects the errors of every role, so that all show at once. */
function declaredBy(
  model: SiteModel,
  host: string,
  known: Known,
  errors: HostwrightError[],
): readonly { readonly made: Resource; readonly folder: string; readonly resource: DeclaredResource }[] {
  const attempt = <Item>(make: () => readonly Item[]): readonly Item[] => {
    try {
      return make();
    } catch (error) {
      if (!isExpected(error)) throw error;
      errors.push(...(error instanceof HostwrightErrors ? error.errors : [error]));
      return [];
    }
  };
  return (model.assignments.get(host) ?? []).flatMap((assigned) =>
    attempt(() => resourcesOf(model, host, known, assigned)).flatMap((made) =>
      attempt(() => [{ made, folder: assigned.folder, resource: check(model, host, assigned, made) }]),
    ),
  );
}

function isObservation(value: unknown): value is Observation {
  return typeof value === 'object' && value !== null && 'name' in value && 'script' in value;
}

/** What is to be read on a host before the second pass of any. */
export function hostObservations(model: SiteModel, name: string): readonly Observation[] {
  const host = model.hosts.get(name);
  if (host === undefined) return [];
  return (model.assignments.get(name) ?? []).flatMap((assigned) => {
    const { role, vars } = assigned;
    const ask = () => role.observes?.({ vars, host, site: model.site }) ?? [];
    const expected = 'observations, such as { name, script }';
    return askRole({ of: assigned, member: 'observes', host: name, ask, isItem: isObservation, expected });
  });
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

/** Where a host stands among those of its plays, by the index of the play; 0 is left out. */
export function hostRanks(
  model: SiteModel,
  host: string,
  facts: Facts,
  read: ReadBefore,
): ReadonlyMap<number, number> {
  const ranks = new Map<number, number>();
  for (const assigned of model.assignments.get(host) ?? []) {
    const { role, play } = assigned;
    if (role.rank === undefined) continue;
    const ask = () => [role.rank?.(context(model, host, { facts, ...read }, assigned))];
    const [rank = 0] = askRole({
      of: assigned,
      member: 'rank',
      host,
      ask,
      isItem: isNumber,
      expected: 'a number',
    });
    if (rank !== 0) ranks.set(play, (ranks.get(play) ?? 0) + rank);
  }
  return ranks;
}

/**
 * The second pass for one host: all resources of its roles, checked. Two roles may declare the same resource
 * with the same state; different states are an E_RESOURCE that names both roles.
 */
export function hostResources(
  model: SiteModel,
  host: string,
  facts: Facts,
  read: ReadBefore = nothingRead,
): readonly DeclaredResource[] {
  const errors: HostwrightError[] = [];
  const all = declaredBy(model, host, { facts, ...read }, errors);
  const resources = new Map<ResourceId, DeclaredResource>();
  const makers = new Map<ResourceId, (typeof all)[number]>();
  for (const one of all) {
    const { resource } = one;
    const first = resources.get(resource.id);
    const maker = makers.get(resource.id);
    if (first === undefined || maker === undefined) {
      resources.set(resource.id, resource);
      makers.set(resource.id, one);
    } else if (isSame(first.desired, resource.desired)) {
      resources.set(resource.id, { ...first, needs: [...new Set([...first.needs, ...resource.needs])] });
    } else {
      errors.push(
        new HostwrightError('E_RESOURCE', `${resource.id} is declared in two different states on ${host}`, {
          place: madeAt(one.folder, one.made),
          found: `${resource.role}: this one; ${first.role}: ${formatPlace(madeAt(maker.folder, maker.made))}`,
          hint: 'declare it in one role, and name it in "needs" in the other',
        }),
      );
    }
  }
  if (errors.length > 0) throw new HostwrightErrors(errors);
  refuseNameTwice(host, [...resources.values()]);
  refusePathTwice(host, [...resources.values()]);
  return [...resources.values()];
}
