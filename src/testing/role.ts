import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HostwrightErrors } from '../errors.ts';
import type { Resource } from '../resources/resource.ts';
import type { ResourceId } from '../resources/state.ts';
import { listed } from '../roles/list.ts';
import type { Declaration, Declared, Facts, Listen, Role, RoleContext, SiteHost } from '../roles/role.ts';
import { roleVariables, unknownVariables } from '../roles/variables.ts';
import { openTemplates } from '../template/folders.ts';
import { placed } from './plan.ts';

const facts: Facts = {
  os: 'debian',
  codename: 'trixie',
  architecture: 'amd64',
  hostname: 'web1',
  kernel: '6.12.0',
  processors: 2,
  memory: 2 ** 31,
  addresses: ['10.0.0.1'],
  interface: 'eth0',
  ipv6: 'off',
};

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

/** web1, web2, web3 at 10.0.0.1 and so on, in the groups of the bundled site. */
export const hosts: readonly SiteHost[] = ['web1', 'web2', 'web3'].map((name, index) => ({
  name,
  address: `10.0.0.${index + 1}`,
  groups: ['web', 'app', ...(index === 0 ? ['lb', 'monitoring'] : ['db'])],
}));

/** What a role is asked about; everything has a default. */
export interface RoleCase {
  /** As an inventory has them, before the schema of the role has checked them. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The host that the role is asked about; default `web1`. */
  readonly host?: string;
  /** What roles declare for each other. */
  readonly declared?: readonly Declared[];
  /** What roles listen on. */
  readonly listens?: readonly (Listen & { readonly role: string })[];
  /** What hosts have answered, by the name of the observation and the host. */
  readonly observed?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What an earlier run has applied to the host. */
  readonly applied?: readonly ResourceId[];
  /** Facts that differ from those of a small Debian 13. */
  readonly facts?: Partial<Facts>;
  /** The inventory; default `hosts`. */
  readonly hosts?: readonly SiteHost[];
  /** The folder of the project, with `roles` and `templates`; default the current folder. */
  readonly project?: string;
}

/** What a role is given, with variables that its own schema has checked. */
export function contextOf<Vars>(vars: Vars, given: RoleCase = {}, role = ''): RoleContext<Vars> {
  const everyHost = given.hosts ?? hosts;
  const host = everyHost.find((one) => one.name === (given.host ?? 'web1'));
  if (host === undefined) throw new Error(`there is no host ${given.host ?? 'web1'}`);
  const projectFolder = given.project ?? process.cwd();
  return {
    vars,
    host,
    facts: { ...facts, ...given.facts },
    site: {
      hosts: (group) => everyHost.filter((one) => group === 'all' || one.groups.includes(group)),
      declared: <D extends Declaration>(kind: D['kind']) =>
        (given.declared ?? []).filter((one): one is Declared<D> => one.kind === kind),
      listens: () => given.listens ?? [],
    },
    observed: (name) => new Map(Object.entries(given.observed?.[name] ?? {})),
    applied: (id) => given.applied?.includes(id) === true,
    template: openTemplates([join(projectFolder, 'templates'), join(packageFolder, 'templates')]),
    asset: (path) => readFileSync(join(projectFolder, 'roles', role, path)),
    projectFolder,
  };
}

/** Variables as a run takes them: those that the role refuses or does not read are errors. */
function variablesOf(role: Role, given: RoleCase): Record<string, unknown> {
  const variables = { values: given.variables ?? {}, places: new Map(), readings: new Map() };
  try {
    const unknown = unknownVariables(variables, [role]);
    if (unknown.length > 0) throw new HostwrightErrors(unknown);
    return roleVariables(given.host ?? 'web1', role, variables);
  } catch (cause) {
    if (!(cause instanceof HostwrightErrors)) throw cause;
    const said = cause.errors.map(({ message, expected }) =>
      expected === undefined ? message : `${message}: expected ${expected}`,
    );
    throw new Error(said.join('\n'), { cause });
  }
}

/** The resources of a role on one host, each checked against the schema of its type. */
export function resourcesOf(role: Role, given: RoleCase = {}): readonly Resource[] {
  const resources = listed(role.resources(contextOf(variablesOf(role, given), given, role.name)));
  for (const resource of resources) placed(resource, role.name);
  return resources;
}

/** The attributes of all resources of one type. */
export function ofType(resources: readonly Resource[], type: string): readonly object[] {
  return resources.filter((resource) => resource.type.name === type).map((resource) => resource.attributes);
}
