import {
  defineRole,
  z,
  type DatabaseDeclaration,
  type DatabaseProxyDeclaration,
  type Declared,
  type Site,
} from 'hostwright';
import { bracketed } from '../balancers/bracketed.ts';
import { localHaproxy } from '../local_haproxy/local-haproxy.ts';

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
  resources: (context) => {
    const { vars, site, template } = context;
    const servers = databases(site);
    if (servers.length === 0) return [];
    const preferred = servers.find(({ isPreferred }) => isPreferred === true);
    const configuration = template('database_proxy/haproxy.cfg.hbs', {
      maxConnections: vars.database_proxy_max_connections,
      // Two ports, and each connection goes through the process twice.
      maxProcess: 4 * vars.database_proxy_max_connections,
      writerPort: vars.database_proxy_writer_port,
      readerPort: vars.database_proxy_reader_port,
      servers: servers.map((server) => ({
        name: server.host.name,
        address: bracketed(server.host),
        port: server.port,
        checkPort: server.checkPort,
        isPreferred: server === preferred,
        isStandby: preferred !== undefined && server !== preferred,
      })),
    });
    return localHaproxy(context, {
      name: 'haproxy-mysql',
      role: 'database_proxy',
      description: 'The way to the databases',
      configuration,
      // Which servers are there is for the applications to see.
      ports: [vars.database_proxy_writer_port, vars.database_proxy_reader_port],
      // A connection is two files of the process each time that it goes through.
      files: {
        count: 8 * vars.database_proxy_max_connections,
        of: 'Four for a connection of each port',
      },
    });
  },
});
