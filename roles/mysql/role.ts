import {
  defineRole,
  hostGroup,
  HostwrightError,
  mysqlPrimary,
  mysqlReplica,
  type SiteHost,
} from 'hostwright';
import { accounts } from './accounts.ts';
import { authority, certificate, key, server, serviceId } from './server.ts';
import { variables, type Variables } from './variables.ts';

/** The host that takes writes. */
function primaryOf(vars: Variables, hosts: readonly SiteHost[]): SiteHost {
  const { mysql_primary: name } = vars;
  const found = name === undefined ? hosts[0] : hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  if (name === undefined) {
    throw new HostwrightError('E_ROLE', 'the role mysql needs a host in the group db', {
      hint: 'put the hosts into the group db that the role mysql is for',
    });
  }
  throw new HostwrightError('E_VARIABLE', `mysql_primary names ${name}, which is not in the group db`, {
    expected: `one of ${hosts.map((host) => host.name).join(', ')}`,
  });
}

export default defineRole({
  name: 'mysql',
  variables,
  listens: ({ vars }) => {
    const groups = new Set(['app', 'db', ...vars.mysql_users.flatMap(({ from }) => from ?? [])]);
    return [...groups].map((name) => ({
      port: vars.mysql_port,
      from: hostGroup(name),
      why: name === 'db' ? 'replication' : `database for ${name}`,
    }));
  },
  declares: ({ vars, host, site }) => [
    { kind: 'certificate', name: 'mysql', group: 'mysql' },
    {
      kind: 'database',
      role: primaryOf(vars, site.hosts('db')).name === host.name ? 'primary' : 'replica',
      port: vars.mysql_port,
    },
    { kind: 'metrics', of: 'mysql' },
  ],
  resources: (context) => {
    const { vars, host, site } = context;
    const primary = primaryOf(vars, site.hosts('db'));
    const isPrimary = primary.name === host.name;
    const options = { needs: [serviceId(vars.mysql_flavor)] };
    if (isPrimary) {
      const afterwards = { needs: [...options.needs, `mysql_primary:${host.name}` as const] };
      return [
        ...server(context, isPrimary),
        mysqlPrimary(host.name, { flavor: vars.mysql_flavor }, options),
        ...accounts(context, afterwards),
      ];
    }
    const replica = mysqlReplica(
      primary.name,
      {
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
        ...(vars.mysql_discard_transactions === undefined
          ? {}
          : { discard: vars.mysql_discard_transactions }),
      },
      options,
    );
    return [...server(context, isPrimary), replica];
  },
});
