import { createHash } from 'node:crypto';
import {
  directory,
  file,
  HostwrightError,
  lines,
  link,
  mysqlSettings,
  permissions,
  service,
  sh,
  type Facts,
  type Resource,
  type ResourceId,
  type RoleContext,
  type Script,
  type Secret,
  type SiteHost,
} from 'hostwright';
import { packageOf, packages } from './packages.ts';
import { settingsIn } from './settings.ts';
import type { Starting } from './topology.ts';
import type { Variables } from './variables.ts';

export const certificate = '/etc/hostwright/pki/mysql.crt';
export const key = '/etc/hostwright/pki/mysql.key';
export const authority = '/etc/hostwright/pki/ca.crt';

const flavors = {
  mysql: {
    unit: 'mysql.service',
    folder: '/etc/mysql/mysql.conf.d',
    client: ['mysql', '--no-defaults', '--protocol=socket', '--user=root'],
    admin: ['mysqladmin', '--no-defaults', '--protocol=socket', '--user=root'],
    reloadTls: 'ALTER INSTANCE RELOAD TLS',
    // To the terminal, so that the person in front of it reads what is wrong.
    validate: ['mysqld', '--log-error=stderr', '--validate-config'],
    log: '/var/log/mysql/error.log',
    // As the packages of Debian and of MySQL itself make it.
    dataMode: '0750',
  },
  mariadb: {
    unit: 'mariadb.service',
    folder: '/etc/mysql/mariadb.conf.d',
    client: ['mariadb', '--no-defaults', '--protocol=socket', '--user=root'],
    admin: ['mariadb-admin', '--no-defaults', '--protocol=socket', '--user=root'],
    // Without LOCAL it is a transaction of the replica's own.
    reloadTls: 'FLUSH LOCAL SSL',
    validate: ['sh', '-c', 'exec mariadbd --help --verbose >/dev/null'],
    log: undefined,
    dataMode: '0755',
  },
} as const;

export function unitOf(flavor: Variables['mysql_flavor']): string {
  return flavors[flavor].unit;
}

export function serviceId(flavor: Variables['mysql_flavor']): ResourceId {
  return `service:${unitOf(flavor)}`;
}

const quarter = 4;
const step = 128 * 2 ** 20;

/** A quarter of the memory in steps: a kernel that takes a little more must not restart the server. */
function bufferPool({ memory }: Facts): string {
  return `${Math.max(step, Math.floor(memory / quarter / step) * step) / 2 ** 20}M`;
}

/** The same for ever, wherever the host stands in the inventory. */
function numberOf(name: string): number {
  return Math.max(createHash('sha256').update(name).digest().readUInt32BE(), 1);
}

/** The number of a server; two of the same would break the replication. */
function serverId(vars: Variables, host: SiteHost, hosts: readonly SiteHost[]): number {
  const own = vars.mysql_server_id ?? numberOf(host.name);
  const twin = hosts.find(({ name }) => name !== host.name && numberOf(name) === own);
  if (twin !== undefined) {
    throw new HostwrightError('E_VARIABLE', `${host.name} and ${twin.name} get the same server id ${own}`, {
      place: { host: host.name },
      hint: 'set mysql_server_id of one of them',
    });
  }
  return own;
}

/** Debian's own settings of MariaDB, which differ from release to release. */
const ofMariadb = [
  ...['50-client.cnf', '50-mysql-clients.cnf', '50-mysqld_safe.cnf', '50-server.cnf', '60-galera.cnf'],
  ...['provider_*.cnf', 'mysql.cnf', 'mysqldump.cnf'],
];

/** Of mysqldump, as Debian has it. */
const ofDump = ['quick', 'quote-names', 'max_allowed_packet = 16M'];

/** Other places than the folders of this role from which mysqld takes settings. */
const elsewhere = ['/etc/my.cnf', '/etc/alternatives/my.cnf'];

/** Who may use what the packages make for the server. */
function rights({ vars }: RoleContext<Variables>): readonly Resource[] {
  const { dataMode } = flavors[vars.mysql_flavor];
  const brought = { needs: [`package:${packageOf(vars)}`] } as const;
  const own = { owner: 'mysql', group: 'mysql' } as const;
  return [
    permissions('/etc/mysql', { mode: '0755' }, brought),
    permissions('/etc/mysql/debian.cnf', { mode: '0600' }, brought),
    permissions('/var/lib/mysql', { ...own, mode: dataMode }, brought),
    ...['/var/lib/mysql-files', '/var/lib/mysql-keyring'].map((path) =>
      permissions(path, { ...own, mode: '0750' }, brought),
    ),
    permissions('/var/log/mysql', { owner: 'mysql', group: 'adm', mode: '2750' }, brought),
  ];
}

/** The folders that the server reads as a whole, and what leads it there. */
function folders({ vars, template }: RoleContext<Variables>, content: string | Secret): readonly Resource[] {
  const { folder } = flavors[vars.mysql_flavor];
  const brought = { needs: [`package:${packageOf(vars)}`] } as const;
  const isMariadb = vars.mysql_flavor === 'mariadb';
  const keep = [...(isMariadb ? ofMariadb : []), ...vars.mysql_keep];
  const read = ['/etc/mysql/conf.d', folder];
  const own = (path: string, text: string | Secret): Resource => file(path, { content: text }, brought);
  return [
    ...read.map((path) => directory(path, { exclusive: true, keep }, brought)),
    own(`${folder}/zz-hostwright.cnf`, content),
    file('/etc/my.cnf', { absent: true }),
    ...(isMariadb
      ? []
      : [
          link('/etc/mysql/my.cnf', { to: '/etc/alternatives/my.cnf' }, brought),
          link('/etc/alternatives/my.cnf', { to: '/etc/mysql/mysql.cnf' }, brought),
          own('/etc/mysql/mysql.cnf', template('mysql/main.cnf.hbs', { read })),
          own(`${folder}/mysqld.cnf`, template('mysql/mysqld.cnf.hbs', {})),
          own(`${folder}/mysql.cnf`, template('mysql/client.cnf.hbs', { section: 'mysql', lines: [] })),
          own(
            '/etc/mysql/conf.d/mysql.cnf',
            template('mysql/client.cnf.hbs', { section: 'mysql', lines: [] }),
          ),
          own(
            '/etc/mysql/conf.d/mysqldump.cnf',
            template('mysql/client.cnf.hbs', { section: 'mysqldump', lines: ofDump }),
          ),
        ]),
  ];
}

/** As root the server would leave an error log that it cannot open. */
function validate(program: readonly string[], guard: Script | undefined): [string, ...string[]] {
  const words: [string, ...string[]] = ['runuser', '-u', 'mysql', '--', ...program];
  return guard === undefined ? words : ['sh', '-euc', lines([guard, sh`exec ${words}`]).text];
}

/** Package, configuration and service of every server. `topology`: its lines of the option file. */
export function server(
  context: RoleContext<Variables>,
  topology: string,
  starting?: Starting,
  guard?: Script,
): readonly Resource[] {
  const { vars, host, facts, site, template } = context;
  const flavor = flavors[vars.mysql_flavor];
  const content = template(`mysql/${vars.mysql_flavor}.cnf.hbs`, {
    // An address that the host does not carry itself is translated on the way.
    bind: facts.addresses.includes(host.address) ? host.address : '*',
    port: vars.mysql_port,
    certificate,
    key,
    authority,
    serverId: serverId(vars, host, site.hosts('db')),
    bufferPool: vars.mysql_innodb_buffer_pool_size ?? bufferPool(facts),
    maxConnections: vars.mysql_max_connections,
    binlogSeconds: Math.round(vars.mysql_binlog_days * 86_400),
    topology,
    settings: Object.entries(vars.mysql_settings).map(([name, value]) => ({ name, value })),
  });
  return [
    ...packages(context),
    ...rights(context),
    ...folders(context, content),
    service(
      flavor.unit,
      {
        restartOn: ['/etc/mysql', ...elsewhere],
        reloadOn: [certificate, authority],
        validate: validate(flavor.validate, guard),
        reload: [...flavor.client, '-e', flavor.reloadTls],
        // It answers, also to somebody whom it does not let in.
        healthy: [...flavor.admin, 'ping'],
        healthyWithin: 120,
        ...(starting && { start: starting.start, startWithin: starting.startWithin }),
        ...(flavor.log === undefined ? {} : { log: flavor.log }),
      },
      { needs: ['host_certificate:mysql'] },
    ),
    mysqlSettings(
      vars.mysql_flavor,
      {
        flavor: vars.mysql_flavor,
        unit: flavor.unit,
        settings: settingsIn(content),
        ...(starting && { restart: starting.restart }),
      },
      { needs: [serviceId(vars.mysql_flavor)] },
    ),
  ];
}
