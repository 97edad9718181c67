import {
  defineRole,
  z,
  type ApplicationDeclaration,
  type ApplicationProxyDeclaration,
  type ApplicationTlsDeclaration,
  type Site,
  type SiteHost,
} from 'hostwright';
import { bracketed } from '../balancers/bracketed.ts';
import { localHaproxy } from '../local_haproxy/local-haproxy.ts';
import { client } from '../tiers/client.ts';

const variables = z.object({
  app_proxy_port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(3100)
    .describe('on 127.0.0.1: the application, on whichever host'),
  app_proxy_max_connections: z
    .number()
    .int()
    .min(10)
    .default(4_000)
    .describe('connections at the same time; more wait in the queue of the kernel'),
});

/** A web server sends requests straight to an application on its own host. */
function isNeeded(host: SiteHost, site: Pick<Site, 'declared'>): boolean {
  const applications = site.declared<ApplicationDeclaration>('application');
  return applications.every((one) => one.host.name !== host.name);
}

export default defineRole({
  name: 'app_proxy',
  variables,
  derives: ({ vars, host, site }) => {
    if (!isNeeded(host, site)) return [];
    return [
      { kind: 'certificate', name: client, group: 'haproxy', usage: ['client'] },
      { kind: 'application_proxy', port: vars.app_proxy_port } satisfies ApplicationProxyDeclaration,
    ];
  },
  resources: (context) => {
    const { vars, host, site, template } = context;
    if (!isNeeded(host, site)) return [];
    const servers = site.declared<ApplicationTlsDeclaration>('application_tls');
    const configuration = template('app_proxy/haproxy.cfg.hbs', {
      maxConnections: vars.app_proxy_max_connections,
      port: vars.app_proxy_port,
      healthPath: servers[0]?.healthPath ?? '/',
      client,
      servers: servers.map((server) => ({
        name: server.host.name,
        address: bracketed(server.host),
        port: server.port,
      })),
    });
    return localHaproxy(context, {
      name: 'haproxy-app',
      role: 'app_proxy',
      description: 'The way to the application',
      configuration,
      ports: [vars.app_proxy_port],
      files: { count: 2 * vars.app_proxy_max_connections, of: 'Two for a connection' },
      certificate: client,
    });
  },
});
