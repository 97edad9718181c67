import { mysqlPrimary, mysqlReplica, type Resource, type RoleContext, type SiteHost } from 'hostwright';
import { accounts, origins, type Account } from './accounts.ts';
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

/** Whom the servers log in to each other as: the primary too, which may follow another one tomorrow. */
function accountsOfServers({ vars, site }: Place): readonly Account[] {
  const from = origins(site.hosts('db'));
  return [
    {
      name: 'replication',
      from,
      password: vars.mysql_replication_password,
      tls: 'x509',
      grants: { '*.*': replicationPrivileges },
    },
    {
      name: 'seed',
      from,
      password: vars.mysql_seed_password,
      tls: 'x509',
      grants: { '*.*': seedPrivileges[vars.mysql_flavor] },
    },
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
    seedTimeout: vars.mysql_seed_timeout,
    ...(vars.mysql_discard_transactions === undefined ? {} : { discard: vars.mysql_discard_transactions }),
  };
}

function replica({ vars }: RoleContext<Variables>, primary: SiteHost): Resource {
  const needs = [serviceId(vars.mysql_flavor)];
  return mysqlReplica(primary.name, following(vars, primary), { needs });
}

/** One server takes writes, the others copy them; who that is changes by a person's word. */
export const primaryReplica: Topology = {
  settings: ({ vars, host, site, template }) =>
    String(
      template(`mysql/primary-replica.${vars.mysql_flavor}.hbs`, {
        readOnly: primaryOf({ vars, host, site }).name === host.name ? 'OFF' : 'ON',
      }),
    ).trimEnd(),
  declares: (place) => [
    {
      kind: 'database',
      role: primaryOf(place).name === place.host.name ? 'primary' : 'replica',
      port: place.vars.mysql_port,
      checkPort: place.vars.mysql_writer_check_port,
    },
  ],
  resources: (context) => {
    const { vars, host } = context;
    const primary = primaryOf(context);
    if (primary.name !== host.name) return [replica(context, primary)];
    const needs = [serviceId(vars.mysql_flavor)];
    return [
      mysqlPrimary(host.name, { flavor: vars.mysql_flavor }, { needs }),
      ...accounts(context, accountsOfServers(context), { needs: [...needs, `mysql_primary:${host.name}`] }),
    ];
  },
};
