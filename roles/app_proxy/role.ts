import {
  defineRole,
  directory,
  file,
  pkg,
  service,
  unit,
  z,
  type ApplicationDeclaration,
  type ApplicationProxyDeclaration,
  type ApplicationTlsDeclaration,
  type Site,
  type SiteHost,
} from 'hostwright';
import { client } from '../tiers/client.ts';

const name = 'haproxy-app';
const folder = `/etc/${name}`;
const config = `${folder}/haproxy.cfg`;

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

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** A web server sends requests straight to an application on its own host. */
function isNeeded(host: SiteHost, site: Pick<Site, 'declared'>): boolean {
  const applications = site.declared<ApplicationDeclaration>('application');
  return applications.every((one) => one.host.name !== host.name);
}

const accepts = 'exec 3<>"/dev/tcp/127.0.0.1/$1"';

/** It ends when the new process works; where that does not start, the previous one goes on, and the status says so. */
const reload = `systemctl reload ${name}
status=$(systemctl show -P StatusText ${name})
case $status in *ailed*) echo "${name}: $status"; exit 1 ;; esac`;

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
  resources: ({ vars, host, site, template }) => {
    if (!isNeeded(host, site)) return [];
    const servers = site.declared<ApplicationTlsDeclaration>('application_tls');
    const isBalancer = site.listens(host.name).some(({ role }) => role === 'haproxy');
    const content = template('app_proxy/haproxy.cfg.hbs', {
      maxConnections: vars.app_proxy_max_connections,
      port: vars.app_proxy_port,
      healthPath: servers[0]?.healthPath ?? '/',
      client,
      servers: servers.map((server) => ({
        name: server.host.name,
        address: bracketed(server.host.address),
        port: server.port,
      })),
    });
    const text = template('app_proxy/haproxy-app.service.hbs', {
      config,
      files: 2 * vars.app_proxy_max_connections + 200,
    });
    return [
      pkg('haproxy'),
      // The package starts one with its own configuration, which serves nobody.
      ...(isBalancer ? [] : [service('haproxy', { running: false, enabled: false })]),
      directory(folder, { exclusive: true }),
      file(config, { content }),
      unit(`${name}.service`, { content: String(text) }, { needs: ['package:haproxy'] }),
      service(
        name,
        {
          reloadOn: [config, `/etc/hostwright/pki/${client}.crt`, '/etc/hostwright/pki/ca.crt'],
          validate: ['haproxy', '-c', '-dW', '-f', config],
          healthy: ['bash', '-c', accepts, 'accepts', String(vars.app_proxy_port)],
          reload: ['sh', '-euc', reload],
        },
        { needs: [`host_certificate:${client}`] },
      ),
    ];
  },
});
