import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { HostwrightError, HostwrightErrors, isExpected, withPlace } from '../errors.ts';
import type { Inventory } from '../inventory/model.ts';
import { matchHosts, UnknownHosts } from '../inventory/pattern.ts';
import { didYouMean } from '../suggestion.ts';
import { loadRole } from '../roles/load.ts';
import type { LoadedRole } from '../roles/role.ts';
import type { Role, RoleContext, Site, SiteHost } from '../roles/role.ts';
import { roleVariables, unknownVariables, type HostVariables } from '../roles/variables.ts';
import { generatorOf, type Generate } from '../secrets/schema.ts';
import type { Secret } from '../secrets/secret.ts';
import { openTemplates } from '../template/folders.ts';
import { createOrigins, type Origins } from '../template/origin.ts';
import { collectDeclarations, siteHosts, type AssignedRole, type Assignments } from './first-pass.ts';
import { readSite, type Play } from './site.ts';

/** Everything that is known before the first connection to a host. */
export interface SiteModel {
  /** The folder of site.yml, absolute. */
  readonly folder: string;
  readonly inventory: Inventory;
  readonly plays: readonly PlayHosts[];
  readonly assignments: Assignments;
  readonly site: Site;
  readonly hosts: ReadonlyMap<string, SiteHost>;
  /** Looks in the user's own folder first. All roles and hosts share it, because it caches compiled templates. */
  readonly template: RoleContext<unknown>['template'];
  /** The origins of the texts that `template` has rendered. */
  readonly originOf: Origins['of'];
}

export interface PlayHosts {
  readonly play: Play;
  /** Names, in inventory order. */
  readonly hosts: readonly string[];
}

export interface SiteSources {
  /** site.yml, absolute. */
  readonly file: string;
  readonly inventory: Inventory;
  readonly variables: ReadonlyMap<string, HostVariables>;
  /** The folder that holds Hostwright's own roles and templates. */
  readonly packageFolder: string;
  /** What roles import as 'hostwright'. */
  readonly api: Readonly<Record<string, unknown>>;
  /** Values for secrets that the inventory does not set. */
  readonly generate: (missing: ReadonlyMap<string, Generate>) => Promise<ReadonlyMap<string, Secret>>;
}

/** An optional play without hosts is left out, and its roles with it: they generate no secrets. */
function playHosts(plays: readonly Play[], inventory: Inventory): readonly PlayHosts[] {
  return plays.flatMap((play) => {
    try {
      const hosts = matchHosts(inventory, play.hosts).map((host) => host.name);
      if (hosts.length > 0) return { play, hosts };
      if (play.optional === true) return [];
      throw new HostwrightError('E_PATTERN', `the play for ${play.hosts} matches no host`, {
        hint: `add hosts to ${play.hosts} in the inventory, remove the play, or make it \`optional: true\``,
      });
    } catch (error) {
      if (!(error instanceof HostwrightError)) throw error;
      if (play.optional === true && error instanceof UnknownHosts) return [];
      throw new HostwrightError('E_SITE', error.message, {
        place: play.place,
        hint: error.hint,
        cause: error,
      });
    }
  });
}

async function loadRoles(
  plays: readonly Play[],
  folders: readonly string[],
  api: Readonly<Record<string, unknown>>,
): Promise<ReadonlyMap<string, LoadedRole>> {
  const wanted = new Map(plays.flatMap((play) => play.roles.map((name) => [name, play] as const)));
  const errors: HostwrightError[] = [];
  const loaded = await Promise.all(
    [...wanted].map(async ([name, play]): Promise<readonly [string, LoadedRole][]> => {
      try {
        return [[name, await loadRole(name, folders, api)]];
      } catch (error) {
        if (!isExpected(error)) throw error;
        const hint = didYouMean(name, await roleNames(folders)) ?? 'check its name in site.yml';
        const own = error instanceof HostwrightErrors ? error.errors : [error];
        errors.push(...own.map((one) => (one.place === undefined ? withPlace(one, play.place, hint) : one)));
        return [];
      }
    }),
  );
  if (errors.length > 0) throw new HostwrightErrors(errors);
  return new Map(loaded.flat());
}

async function roleNames(folders: readonly string[]): Promise<readonly string[]> {
  const names = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      return entries.map((entry) => entry.name).filter((name) => existsSync(join(folder, name, 'role.ts')));
    }),
  );
  return [...new Set(names.flat())];
}

/** A play with its hosts to be looked up in. */
interface PlayMembers extends Pick<PlayHosts, 'play'> {
  readonly members: ReadonlySet<string>;
}

function assign(
  host: string,
  plays: readonly PlayMembers[],
  roles: ReadonlyMap<string, LoadedRole>,
  variables: HostVariables,
  errors: HostwrightError[],
): readonly AssignedRole[] {
  const assigned = new Map<string, AssignedRole>();
  plays.forEach(({ play, members }, index) => {
    if (!members.has(host)) return;
    for (const name of play.roles) {
      const loaded = roles.get(name);
      if (loaded === undefined || assigned.has(name)) continue;
      try {
        const vars = roleVariables(host, loaded.role, variables);
        assigned.set(name, { ...loaded, play: index, vars });
      } catch (error) {
        if (!(error instanceof HostwrightErrors)) throw error;
        errors.push(...error.errors);
      }
    }
  });
  return [...assigned.values()];
}

/** Generates the secrets that roles need and the inventory does not set. */
async function withGenerated(
  sources: SiteSources,
  roles: readonly LoadedRole[],
): Promise<ReadonlyMap<string, HostVariables>> {
  const { variables, generate } = sources;
  const isUnset = (name: string): boolean => ![...variables.values()].some(({ values }) => name in values);
  const missing = new Map<string, Generate>();
  for (const { role } of roles) {
    for (const [name, schema] of Object.entries(role.variables.shape)) {
      const make = schema instanceof z.ZodType ? generatorOf(schema) : undefined;
      if (make !== undefined && isUnset(name)) missing.set(name, make);
    }
  }
  const made = Object.fromEntries(await generate(missing));
  return new Map([...variables].map(([host, own]) => [host, { ...own, values: { ...made, ...own.values } }]));
}

/**
 * Errors for variables that no role reads. An inventory may serve several sites: variables of roles outside of this
 * site are known too, but such roles are loaded only when a variable is unknown.
 */
async function strangers(
  variables: readonly HostVariables[],
  roles: ReadonlyMap<string, LoadedRole>,
  folders: readonly string[],
  api: Readonly<Record<string, unknown>>,
): Promise<readonly HostwrightError[]> {
  const used = [...roles.values()].map(({ role }) => role);
  const unknown = (known: readonly Role[]) => variables.flatMap((own) => unknownVariables(own, known));
  if (unknown(used).length === 0) return [];
  const others = (await roleNames(folders)).filter((name) => !roles.has(name));
  const loaded = await Promise.all(others.map(async (name) => (await loadRole(name, folders, api)).role));
  return unknown([...used, ...loaded]);
}

/** A mistake in the variable of a group shows on every host of the group; it is reported once. */
function distinct(errors: readonly HostwrightError[]): HostwrightError[] {
  return [...new Map(errors.map((error) => [JSON.stringify([error.message, error.place]), error])).values()];
}

/** Reads the site, loads its roles and checks the variables of every host; throws all errors it finds. */
export async function readSiteModel(sources: SiteSources): Promise<SiteModel> {
  const { file, inventory, packageFolder, api } = sources;
  const folder = dirname(file);
  const folders = [...new Set([folder, packageFolder])];
  const withHosts = playHosts(await readSite(file), inventory);
  const plays = withHosts.map(({ play }) => play);
  const members = withHosts.map(({ play, hosts }) => ({ play, members: new Set(hosts) }));
  const roleFolders = folders.map((parent) => join(parent, 'roles'));
  const roles = await loadRoles(plays, roleFolders, api);
  const variables = await withGenerated(sources, [...roles.values()]);
  const errors: HostwrightError[] = [];
  const assignments = new Map<string, readonly AssignedRole[]>();
  for (const host of inventory.hosts.keys()) {
    const own = variables.get(host);
    if (own !== undefined) assignments.set(host, assign(host, members, roles, own, errors));
  }
  errors.push(...(await strangers([...variables.values()], roles, roleFolders, api)));
  if (errors.length > 0) throw new HostwrightErrors(distinct(errors));
  const origins = createOrigins();
  return {
    folder,
    inventory,
    plays: withHosts,
    assignments,
    site: collectDeclarations(inventory, assignments),
    hosts: siteHosts(inventory),
    template: openTemplates(
      folders.map((parent) => join(parent, 'templates')),
      origins.note,
    ),
    originOf: origins.of,
  };
}
