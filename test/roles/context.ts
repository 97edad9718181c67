import { fileURLToPath } from 'node:url';
import { listed } from '../../src/roles/list.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type {
  Declaration,
  Declared,
  Facts,
  Listen,
  Role,
  RoleContext,
  SiteHost,
} from '../../src/roles/role.ts';
import { openTemplates } from '../../src/template/folders.ts';

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
};

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** web1, web2, web3 at 10.0.0.1 and so on, in the groups of the compact layout. */
export const hosts: readonly SiteHost[] = ['web1', 'web2', 'web3'].map((name, index) => ({
  name,
  address: `10.0.0.${index + 1}`,
  groups: ['web', 'app', ...(index === 0 ? ['lb', 'monitoring'] : ['db'])],
}));

export interface RoleCase {
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The host that the role is asked about; web1 unless said. */
  readonly host?: string;
  readonly declared?: readonly Declared[];
  readonly listens?: readonly (Listen & { readonly role: string })[];
  readonly facts?: Partial<Facts>;
  readonly hosts?: readonly SiteHost[];
}

/** What a role is given, from variables that its own schema has checked. */
export function contextOf<Vars>(vars: Vars, given: RoleCase = {}): RoleContext<Vars> {
  const everyHost = given.hosts ?? hosts;
  const host = everyHost.find((one) => one.name === (given.host ?? 'web1'));
  if (host === undefined) throw new Error(`there is no host ${given.host}`);
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
    template: openTemplates([`${projectFolder}/templates`]),
    asset: () => Buffer.alloc(0),
    projectFolder,
  };
}

/** The resources of a role on one host. */
export function resourcesOf(role: Role, given: RoleCase = {}): readonly Resource[] {
  return listed(role.resources(contextOf(role.variables.parse(given.variables ?? {}), given)));
}

/** The attributes of all resources of one type. */
export function ofType(resources: readonly Resource[], type: string): readonly object[] {
  return resources.filter((resource) => resource.type.name === type).map((resource) => resource.attributes);
}
