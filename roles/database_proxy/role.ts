import {
  defineRole,
  directory,
  file,
  pkg,
  service,
  unit,
  z,
  type DatabaseDeclaration,
  type DatabaseProxyDeclaration,
  type Declared,
  type Site,
} from 'hostwright';

const name = 'haproxy-mysql';
const folder = `/etc/${name}`;
const config = `${folder}/haproxy.cfg`;

const port = z.number().int().min(1).max(65535);

const variables = z.object({
  database_proxy_writer_port: port
    .default(3307)
    .describe('on 127.0.0.1: the database server that takes writes'),
  database_proxy_reader_port: port
    .default(3308)
    .describe('on 127.0.0.1: a replica that is not behind, or the server that takes writes'),
  database_proxy_max_connections: z
    .number()
    .int()
    .min(10)
    .default(1_000)
    .describe('connections at the same time, of each port; more wait in the queue of the kernel'),
  database_proxy_group: z
    .string()
    .default('app')
    .describe('the group of the inventory that this role is for'),
});

/** Where there is one server there is nothing to find. */
function databases(site: Pick<Site, 'declared'>): readonly Declared<DatabaseDeclaration>[] {
  const all = site.declared<DatabaseDeclaration>('database');
  return all.length > 1 ? all : [];
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** Both ports answer; which servers are there is for the applications to see. */
const accepts = `for port; do exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1; done`;

/** It ends when the new process works; where that does not start, the previous one goes on, and the status says so. */
const reload = `systemctl reload ${name}
status=$(systemctl show -P StatusText ${name})
case $status in *ailed*) echo "${name}: $status"; exit 1 ;; esac`;

export default defineRole({
  name: 'database_proxy',
  variables,
  derives: ({ vars, site }): readonly DatabaseProxyDeclaration[] =>
    databases(site).length === 0
      ? []
      : [
          {
            kind: 'database_proxy',
            writer: vars.database_proxy_writer_port,
            reader: vars.database_proxy_reader_port,
            group: vars.database_proxy_group,
          },
        ],
  resources: ({ vars, host, site, template }) => {
    const servers = databases(site);
    if (servers.length === 0) return [];
    const isBalancer = site.listens(host.name).some(({ role }) => role === 'haproxy');
    const preferred = servers.find(({ isPreferred }) => isPreferred === true);
    const ports = [vars.database_proxy_writer_port, vars.database_proxy_reader_port];
    const content = template('database_proxy/haproxy.cfg.hbs', {
      maxConnections: vars.database_proxy_max_connections,
      // Two ports, and each connection goes through the process twice.
      maxProcess: 4 * vars.database_proxy_max_connections,
      writerPort: vars.database_proxy_writer_port,
      readerPort: vars.database_proxy_reader_port,
      servers: servers.map((server) => ({
        name: server.host.name,
        address: bracketed(server.host.address),
        port: server.port,
        checkPort: server.checkPort,
        isPreferred: server === preferred,
        isStandby: preferred !== undefined && server !== preferred,
      })),
    });
    const text = template('database_proxy/haproxy-mysql.service.hbs', {
      config,
      // A connection is two files of the process each time that it goes through.
      files: 8 * vars.database_proxy_max_connections + 200,
    });
    return [
      pkg('haproxy'),
      // The package starts one with its own configuration, which serves nobody.
      ...(isBalancer ? [] : [service('haproxy', { running: false, enabled: false })]),
      directory(folder, { exclusive: true }),
      file(config, { content }),
      unit(`${name}.service`, { content: String(text) }, { needs: ['package:haproxy'] }),
      service(name, {
        reloadOn: [config],
        validate: ['haproxy', '-c', '-dW', '-f', config],
        healthy: ['bash', '-c', accepts, 'accepts', ...ports.map(String)],
        reload: ['sh', '-euc', reload],
      }),
    ];
  },
});
