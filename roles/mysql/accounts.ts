import {
  mysqlDatabase,
  mysqlUser,
  type DatabaseUserDeclaration,
  type Resource,
  type ResourceOptions,
  type RoleContext,
  type Secret,
  type SiteHost,
} from 'hostwright';
import type { Place } from './topology.ts';
import type { Variables } from './variables.ts';
import { writerAccount } from './writer-check.ts';

/** What an application needs to keep its own tables, and nothing of the server. */
const applicationPrivileges = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'ALTER',
  'DROP',
  'INDEX',
  'REFERENCES',
  'CREATE VIEW',
  'SHOW VIEW',
  'TRIGGER',
  'LOCK TABLES',
];

const monitoringPrivileges = {
  mysql: ['PROCESS', 'REPLICATION CLIENT'],
  mariadb: ['PROCESS', 'REPLICATION CLIENT', 'REPLICA MONITOR'],
};

type Grants = Readonly<Record<string, readonly string[]>>;

/** An account of a role, the same for every host that it logs in from. */
export interface Account {
  readonly name: string;
  /** As the server sees them: addresses or patterns. */
  readonly from: readonly string[];
  readonly password: Secret;
  readonly tls?: 'any' | 'x509';
  readonly grants: Grants;
}

/** The server sees addresses; a host that the inventory knows by its name only may come from any. */
export function origins(hosts: readonly SiteHost[]): readonly string[] {
  const isAddress = (text: string): boolean => /^\d+\.\d+\.\d+\.\d+$|:/.test(text);
  return [...new Set(hosts.map(({ address }) => (isAddress(address) ? address : '%')))];
}

/** By which the servers of the group db log in to each other, each with its certificate. */
export function accountOfServers(
  { vars, site }: Place,
  name: 'observer' | 'replication' | 'seed',
  grants: Grants,
): Account {
  return {
    name,
    from: origins(site.hosts('db')),
    password: vars[`mysql_${name}_password`],
    tls: 'x509',
    grants,
  };
}

function mutable(grants: Grants): Record<string, [string, ...string[]]> {
  return Object.fromEntries(
    Object.entries(grants).flatMap(([level, [first, ...rest]]) =>
      first === undefined ? [] : [[level, [first, ...rest] as [string, ...string[]]]],
    ),
  );
}

/**
 * Databases and users: those of the topology, of other roles and of variables. For a server that takes writes.
 */
export function accounts(
  { vars, site, host }: RoleContext<Variables>,
  ofTopology: readonly Account[],
  options: ResourceOptions,
): readonly Resource[] {
  const flavor = vars.mysql_flavor;
  const applications = site.declared<DatabaseUserDeclaration>('database_user');
  const users = ({ name, from, password, tls = 'any', grants }: Account): Resource[] =>
    from.map((at) => mysqlUser(name, at, { flavor, password, tls, grants: mutable(grants) }, options));

  const databases = new Map(
    [...applications.map(({ database }) => ({ name: database })), ...vars.mysql_databases].map((given) => {
      const database = typeof given === 'string' ? { name: given } : given;
      return [database.name, database] as const;
    }),
  );
  return [
    ...[...databases.values()].map(({ name, ...attributes }) =>
      mysqlDatabase(name, { flavor, ...attributes }, options),
    ),
    ...(databases.has('test') ? [] : [mysqlDatabase('test', { flavor, absent: true }, options)]),
    ...['localhost', host.name].map((from) => mysqlUser('', from, { flavor, absent: true }, options)),
    // The other root of many guides: with a password, from the network.
    ...(vars.mysql_users.some(({ name }) => name === 'root') ? [] : ['%', host.name, '127.0.0.1', '::1']).map(
      (from) => mysqlUser('root', from, { flavor, absent: true }, options),
    ),
    ...ofTopology.flatMap(users),
    mysqlUser(
      'prometheus',
      'localhost',
      {
        flavor,
        socket: true,
        grants: mutable({ '*.*': monitoringPrivileges[flavor], 'performance_schema.*': ['SELECT'] }),
      },
      options,
    ),
    ...writerAccount(vars, site, options),
    ...applications.flatMap(({ name, database, password, from }) =>
      users({
        name,
        from: origins(site.hosts(from)),
        password,
        grants: { [`${database}.*`]: applicationPrivileges },
      }),
    ),
    ...vars.mysql_users.flatMap(({ from, address = '%', ...user }) =>
      users({ ...user, from: from === undefined ? [address] : origins(site.hosts(from)) }),
    ),
  ];
}
