import { HostwrightError } from '../errors.ts';
import type { Declaration, Declared, Listen, Role, Site, SiteHost } from '../roles/role.ts';
import type { Inventory } from '../inventory/model.ts';

/** A role on a host, with its variables checked. */
export interface AssignedRole {
  readonly role: Role;
  /** The folder of the role, absolute. */
  readonly folder: string;
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
      hint: `add the group ${group} to the inventory, it may be empty`,
    });
  }
  return [...hosts.values()].filter((host) => host.groups.includes(group));
}

/**
 * The first pass over all roles of all hosts: what they say of themselves before any resource is made. They
 * declare, then derive from what was declared, then say what they listen on.
 */
export function collectDeclarations(inventory: Inventory, assignments: Assignments): Site {
  const hosts = siteHosts(inventory);
  const inGroup = (group: string) => hostsOf(hosts, inventory, group);
  const members = [...assignments].flatMap(([name, assigned]) => {
    const host = hosts.get(name);
    return host === undefined ? [] : assigned.map(({ role, vars }) => ({ role, vars, host }));
  });
  const asDeclared = (declarations: readonly Declared[]): Pick<Site, 'hosts' | 'declared'> => ({
    hosts: inGroup,
    declared: <D extends Declaration>(kind: D['kind']) =>
      declarations.filter((declaration): declaration is Declared<D> => declaration.kind === kind),
  });
  const by = (
    { role, host }: { readonly role: Role; readonly host: SiteHost },
    own: readonly Declaration[] = [],
  ): readonly Declared[] => own.map((declaration) => ({ role: role.name, ...declaration, host }));

  const declared = members.flatMap((member) => {
    const { role, vars, host } = member;
    return by(member, role.declares?.({ vars, host, site: { hosts: inGroup } }));
  });
  const derived = members.flatMap((member) => {
    const { role, vars, host } = member;
    return by(member, role.derives?.({ vars, host, site: asDeclared(declared) }));
  });
  const site = asDeclared([...declared, ...derived]);
  const listens = new Map<string, (Listen & { readonly role: string })[]>();
  for (const { role, vars, host } of members) {
    const own = (role.listens?.({ vars, host, site }) ?? []).map((one) => ({ ...one, role: role.name }));
    listens.set(host.name, [...(listens.get(host.name) ?? []), ...own]);
  }
  return { ...site, listens: (host) => listens.get(host) ?? [] };
}
