import { mysqlPrimary, mysqlReplica, type Resource, type RoleContext, type SiteHost } from 'hostwright';
import { accountOfServers, accounts, type Account } from './accounts.ts';
import { openAfterRestart } from './open.ts';
import { leaving as leavingCluster } from './galera-leave.ts';
import { checkLeaving, leavingGroup } from './group-leave.ts';
import { withoutJoiner } from './left-over.ts';
import { primaryOf } from './primary.ts';
import { authority, certificate, key, serviceId } from './server.ts';
import type { Place, Topology } from './topology.ts';
import type { Variables } from './variables.ts';

/** Of a replica to its primary: nothing but the stream of changes. */
const replicationPrivileges = ['REPLICATION SLAVE'];

/** CLONE wants one privilege; a dump reads everything by itself. */
const seedPrivileges = {
  mysql: ['BACKUP_ADMIN'],
  mariadb: ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'LOCK TABLES', 'RELOAD', 'REPLICATION CLIENT'],
};

/** To see who takes writes, and who follows whom. */
const observerPrivileges = {
  mysql: { 'performance_schema.*': ['SELECT'] },
  mariadb: { '*.*': ['REPLICA MONITOR'] },
};

/** Whom the servers log in to each other as: each of them, because each may become the primary. */
export function accountsOfServers(place: Place): readonly Account[] {
  const { mysql_flavor: flavor } = place.vars;
  if (place.site.hosts('db').length < 2) return [];
  return [
    accountOfServers(place, 'observer', observerPrivileges[flavor]),
    accountOfServers(place, 'replication', { '*.*': replicationPrivileges }),
    accountOfServers(place, 'seed', { '*.*': seedPrivileges[flavor] }),
  ];
}

/** How a server follows the primary. */
export function following(vars: Variables, primary: SiteHost): Parameters<typeof mysqlReplica>[1] {
  return {
    flavor: vars.mysql_flavor,
    address: primary.address,
    port: vars.mysql_port,
    user: 'replication',
    password: vars.mysql_replication_password,
    seedUser: 'seed',
    seedPassword: vars.mysql_seed_password,
    ca: authority,
    certificate,
    key,
    semiSync: true,
    seedTimeout: vars.mysql_seed_timeout,
    ...(vars.mysql_discard_transactions === undefined ? {} : { discard: vars.mysql_discard_transactions }),
  };
}

function replica({ vars }: RoleContext<Variables>, primary: SiteHost): Resource {
  const needs = [serviceId(vars.mysql_flavor)];
  return mysqlReplica(primary.name, following(vars, primary), { needs });
}

function primary({ vars, site, host }: RoleContext<Variables>): Resource {
  const servers = site
    .hosts('db')
    .filter(({ name }) => name !== host.name)
    .map(({ name, address }) => ({ name, address, port: vars.mysql_port }));
  return mysqlPrimary(
    host.name,
    {
      flavor: vars.mysql_flavor,
      ...(servers.length === 0
        ? {}
        : {
            durability: vars.mysql_durability,
            opener: 'mysql-open.service',
            others: {
              self: `${host.address}:${vars.mysql_port}`,
              user: 'observer',
              password: vars.mysql_observer_password,
              ca: authority,
              certificate,
              key,
              servers,
            },
          }),
    },
    { needs: [serviceId(vars.mysql_flavor)] },
  );
}

const leaving = ({
  mysql_flavor: flavor,
}: Variables): Pick<Topology, 'observes' | 'rank' | 'starting' | 'guard'> =>
  flavor === 'mysql' ? leavingGroup : leavingCluster;

/** One server takes writes, the others copy them; who that is changes by a person's word. */
export const primaryReplica: Topology = {
  observes: (place) => leaving(place.vars).observes?.(place) ?? [],
  rank: (context) => leaving(context.vars).rank?.(context) ?? 0,
  starting: (context) => leaving(context.vars).starting?.(context),
  guard: (context) => leaving(context.vars).guard?.(context),
  settings: ({ vars, template }) =>
    String(template(`mysql/primary-replica.${vars.mysql_flavor}.hbs`, {})).trimEnd(),
  declares: (place) => [
    {
      kind: 'database',
      flavor: place.vars.mysql_flavor,
      role: primaryOf(place).name === place.host.name ? 'primary' : 'replica',
      port: place.vars.mysql_port,
      checkPort: place.vars.mysql_writer_check_port,
    },
  ],
  resources: (context) => {
    const { vars, host, observed } = context;
    checkLeaving(context);
    const leader = primaryOf(context);
    const wasMember = observed('mysql group').get(host.name);
    if (leader.name !== host.name) {
      const following = `mysql_replica:${leader.name}` as const;
      return [
        replica(context, leader),
        ...openAfterRestart(context, [serviceId(vars.mysql_flavor), following]),
        ...withoutJoiner(wasMember, [following]),
      ];
    }
    const afterwards = [serviceId(vars.mysql_flavor), `mysql_primary:${host.name}`] as const;
    return [
      primary(context),
      ...openAfterRestart(context, afterwards),
      ...withoutJoiner(wasMember, afterwards),
      ...accounts(context, accountsOfServers(context), { needs: afterwards }),
    ];
  },
};
