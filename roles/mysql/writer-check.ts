import {
  directory,
  file,
  hostGroup,
  mysqlUser,
  service,
  unit,
  user,
  type DatabaseProxyDeclaration,
  type Listen,
  type Resource,
  type ResourceOptions,
  type RoleContext,
  type Site,
} from 'hostwright';
import type { Variables } from './variables.ts';

type Context = RoleContext<Variables>;

const name = 'mysql-writer';
const program = `/usr/local/lib/hostwright/${name}`;

/** Groups whose hosts ask which server takes writes; none where the site has no proxy for its databases. */
function groups(site: Pick<Site, 'declared'>): readonly string[] {
  const proxies = site.declared<DatabaseProxyDeclaration>('database_proxy');
  return [...new Set(proxies.map(({ group }) => group))];
}

export function writerListens(vars: Variables, site: Pick<Site, 'declared'>): readonly Listen[] {
  return groups(site).map((group) => ({
    port: vars.mysql_writer_check_port,
    from: hostGroup(group),
    why: `which database takes writes, for ${group}`,
  }));
}

function socketAddress({ vars, host, facts }: Context): string {
  const port = vars.mysql_writer_check_port;
  // An address that the host does not carry itself is translated on the way.
  if (!facts.addresses.includes(host.address)) return String(port);
  return host.address.includes(':') ? `[${host.address}]:${port}` : `${host.address}:${port}`;
}

/** What answers proxies; the same on every server of the site, whatever its part is at the moment. */
export function writerCheck(context: Context): readonly Resource[] {
  const { vars, site, template } = context;
  if (groups(site).length === 0) return [];
  const isMariadb = vars.mysql_flavor === 'mariadb';
  const script = template('mysql/writer-check.sh.hbs', {
    isMariadb,
    client: isMariadb ? 'mariadb' : 'mysql',
    user: name,
    folder: `/run/${name}`,
    maxLag: vars.mysql_replica_max_lag,
  });
  const ofUnit = (part: 'socket' | 'service'): string =>
    String(template(`mysql/${name}.${part}.hbs`, { program, user: name, listen: socketAddress(context) }));
  const ready = { needs: [`user:${name}`, `file:${program}`] } as const;
  return [
    user(name, { system: true, home: '/nonexistent', shell: '/usr/sbin/nologin' }),
    directory('/usr/local/lib/hostwright'),
    file(program, { content: script, mode: '0755' }),
    // Verified together, as each names the other.
    unit(`${name}.service`, { content: ofUnit('service') }, ready),
    unit(`${name}.socket`, { content: ofUnit('socket') }, ready),
    service(`${name}.socket`),
    service(name, { restartOn: [program] }, { needs: [`service:${name}.socket`] }),
  ];
}

/** The account that asks; it is replicated. */
export function writerAccount(
  { mysql_flavor: flavor }: Variables,
  site: Pick<Site, 'declared'>,
  options: ResourceOptions,
): readonly Resource[] {
  if (groups(site).length === 0) return [];
  const grants: Record<string, [string]> =
    flavor === 'mysql' ? { 'performance_schema.*': ['SELECT'] } : { '*.*': ['REPLICA MONITOR'] };
  return [mysqlUser(name, 'localhost', { flavor, socket: true, grants }, options)];
}
