import { HostwrightError, HostwrightErrors, isExpected } from '../errors.ts';
import { askRole } from '../roles/ask.ts';
import type { LoadedRole } from '../roles/role.ts';
import type { Member } from '../roles/place.ts';
import type { Declaration, Declared, Listen, Site, SiteHost, Source } from '../roles/role.ts';
import type { Inventory } from '../inventory/model.ts';

/** A role on a host, with its variables checked. */
export interface AssignedRole extends LoadedRole {
  /** Index of the play that assigns it first. */
  readonly play: number;
  readonly vars: Record<string, unknown>;
}

export type Assignments = ReadonlyMap<string, readonly AssignedRole[]>;

function addressOf(vars: Readonly<Record<string, unknown>>, name: string): string {
  for (const key of ['private_address', 'ansible_host']) {
    const value = vars[key];
    if (typeof value === 'string') return value;
  }
  return name;
}

export function siteHosts(inventory: Inventory): ReadonlyMap<string, SiteHost> {
  return new Map(
    [...inventory.hosts.values()].map(({ name, groups, vars }) => [
      name,
      { name, groups, address: addressOf(vars, name) },
    ]),
  );
}

/** Names of hosts by group, in inventory order. */
function hostsOf(
  hosts: ReadonlyMap<string, SiteHost>,
  inventory: Inventory,
  group: string,
): readonly SiteHost[] {
  if (group === 'all') return [...hosts.values()];
  if (!inventory.groups.has(group)) {
    throw new HostwrightError('E_ROLE', `the inventory has no group ${group}`, {
      found: `groups ${[...inventory.groups.keys()].join(', ')}`,
      hint: `add the group ${group} to the inventory (it may be empty)`,
    });
  }
  return [...hosts.values()].filter((host) => host.groups.includes(group));
}

/** A role on a host, as it is asked. */
interface Asked extends AssignedRole {
  readonly host: SiteHost;
}

/** Calls a member of every role on every host. Reports the errors of all roles at once, each role once. */
function askAll<Item>(asked: readonly Asked[], ask: (one: Asked) => readonly Item[]): readonly Item[] {
  const errors = new Map<LoadedRole['role'], readonly HostwrightError[]>();
  const answers = asked.flatMap((one) => {
    if (errors.has(one.role)) return [];
    try {
      return ask(one);
    } catch (error) {
      if (!isExpected(error)) throw error;
      errors.set(one.role, error instanceof HostwrightErrors ? error.errors : [error]);
      return [];
    }
  });
  if (errors.size > 0) throw new HostwrightErrors([...errors.values()].flat());
  return answers;
}

function isDeclaration(value: unknown): value is Declaration {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}

function declarationsOf(one: Asked, member: Member, ask: () => unknown): readonly Declared[] {
  const expected = "declarations, such as { kind: 'backend', port: 8443 }";
  const question = { of: one, host: one.host.name, member, ask, isItem: isDeclaration, expected };
  return askRole(question).map((declaration) => ({ role: one.role.name, ...declaration, host: one.host }));
}

function isSource(value: unknown): value is Source {
  if (typeof value !== 'object' || value === null) return value === 'internet';
  return (
    ('group' in value && typeof value.group === 'string') ||
    ('address' in value && typeof value.address === 'string')
  );
}

function isListen(value: unknown): value is Listen {
  if (typeof value !== 'object' || value === null || !('why' in value)) return false;
  const hasPort = 'port' in value && value.port !== undefined;
  const opens = hasPort
    ? typeof value.port === 'number' && !('protocol' in value && value.protocol === 'vrrp')
    : 'protocol' in value && value.protocol === 'vrrp';
  return opens && 'from' in value && isSource(value.from);
}

/**
 * The first pass over all roles of all hosts, before any resource is made. Roles
 * declare, then derive from the declarations, then list their ports.
 */
export function collectDeclarations(inventory: Inventory, assignments: Assignments): Site {
  const hosts = siteHosts(inventory);
  // Each of thousands of hosts may ask for the same.
  const groups = new Map<string, readonly SiteHost[]>();
  const inGroup = (group: string): readonly SiteHost[] => {
    const known = groups.get(group) ?? hostsOf(hosts, inventory, group);
    groups.set(group, known);
    return [...known];
  };
  const asked = [...assignments].flatMap(([name, assigned]): Asked[] => {
    const host = hosts.get(name);
    return host === undefined ? [] : assigned.map((one) => ({ ...one, host }));
  });
  const asDeclared = (declarations: readonly Declared[]): Pick<Site, 'hosts' | 'declared'> => {
    const kinds = new Map<string, Declared[]>(declarations.map(({ kind }) => [kind, []]));
    for (const declaration of declarations) kinds.get(declaration.kind)?.push(declaration);
    return {
      hosts: inGroup,
      declared: <D extends Declaration>(kind: D['kind']) =>
        (kinds.get(kind) ?? []).filter(
          (declaration): declaration is Declared<D> => declaration.kind === kind,
        ),
    };
  };

  const declared = askAll(asked, (one) => {
    const { role, vars, host } = one;
    return declarationsOf(one, 'declares', () =>
      role.declares === undefined ? [] : role.declares({ vars, host, site: { hosts: inGroup } }),
    );
  });
  const derived = askAll(asked, (one) => {
    const { role, vars, host } = one;
    return declarationsOf(one, 'derives', () =>
      role.derives === undefined ? [] : role.derives({ vars, host, site: asDeclared(declared) }),
    );
  });
  const site = asDeclared([...declared, ...derived]);
  const listens = askAll(asked, (one) => {
    const { role, vars, host } = one;
    const ask = () => (role.listens === undefined ? [] : role.listens({ vars, host, site }));
    const expected =
      "a list of ports, such as { port: 80, from: 'internet', why: 'the site' } or { port: 6379, from: hostGroup('app'), why: 'the cache' }";
    return askRole({ of: one, host: host.name, member: 'listens', ask, isItem: isListen, expected }).map(
      (listen) => ({ host: host.name, listen: { ...listen, role: role.name } }),
    );
  });
  const byHost = new Map(
    asked.map(({ host }): [string, (Listen & { readonly role: string })[]] => [host.name, []]),
  );
  for (const { host, listen } of listens) byHost.get(host)?.push(listen);
  return { ...site, listens: (host) => byHost.get(host) ?? [] };
}
