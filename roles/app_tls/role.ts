import {
  defineRole,
  directory,
  drainFile,
  file,
  hostGroup,
  HostwrightError,
  permissions,
  pkg,
  service,
  unit,
  z,
  type ApplicationDeclaration,
  type ApplicationTlsDeclaration,
  type BackendDeclaration,
  type Drain,
  type SiteHost,
  type Site,
} from 'hostwright';
import { client } from '../tiers/client.ts';
import { drainPaths, drainSeconds, requestsInHand } from '../web_servers/drain.ts';
import { nginx } from '../web_servers/nginx.ts';

const name = 'app-tls';
const folder = `/etc/${name}`;
const config = `${folder}/nginx.conf`;
const statusPort = 8083;

const port = z.number().int().min(1).max(65535);

const variables = z.object({
  app_tls_port: port.default(9443).describe('TLS, for web servers on other hosts'),
  app_tls_group: z.string().default('web').describe('the group of the inventory whose hosts may connect'),
  app_health_path: z
    .string()
    .regex(/^\/[\w./~-]*$/, 'expected a path such as /healthz')
    .default('/healthz')
    .describe('of the application: answers 200 while it can serve'),
  drain_seconds: drainSeconds,
});

const drainName = 'app';

/** The proxies of the web servers check every second, for half a second at most. */
const drainWith = (ended: number): Drain => ({
  name: drainName,
  inHand: requestsInHand(statusPort, [nginx]),
  noticed: 2,
  ended,
});

const answers = `exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /stub_status HTTP/1.0\\r\\n\\r\\n' >&3
IFS= read -r status <&3
[[ $status == 'HTTP/1.'?' 200'* ]] && exec 4<>"/dev/tcp/127.0.0.1/$2"`;

/** Web servers whose host has no application of its own. */
function hasRemoteClients({ site }: { readonly site: Pick<Site, 'declared'> }): boolean {
  const own = new Set(site.declared<ApplicationDeclaration>('application').map((one) => one.host.name));
  return site.declared<BackendDeclaration>('backend').some((web) => !own.has(web.host.name));
}

function isWebServer(host: SiteHost, site: Pick<Site, 'declared'>): boolean {
  return site
    .declared<BackendDeclaration>('backend')
    .some((web) => web.host.name === host.name && web.role === 'nginx');
}

export default defineRole({
  name: 'app_tls',
  variables,
  derives: (context) => {
    if (!hasRemoteClients(context)) return [];
    return [
      { kind: 'certificate', name, usage: ['server'] },
      {
        kind: 'application_tls',
        port: context.vars.app_tls_port,
        healthPath: context.vars.app_health_path,
        drain: drainWith(context.vars.drain_seconds),
      } satisfies ApplicationTlsDeclaration,
    ];
  },
  listens: (context) =>
    hasRemoteClients(context)
      ? [
          {
            port: context.vars.app_tls_port,
            from: hostGroup(context.vars.app_tls_group),
            why: 'requests of web servers for the application',
          },
        ]
      : [],
  resources: ({ vars, host, site, facts, template }) => {
    if (!hasRemoteClients({ site })) return [];
    const application = site
      .declared<ApplicationDeclaration>('application')
      .find((declared) => declared.host.name === host.name);
    if (application === undefined) {
      throw new HostwrightError('E_ROLE', `app_tls has no application on ${host.name} to pass requests to`, {
        place: { host: host.name },
        hint: 'give the host the role app as well, in site.yml',
      });
    }
    const data = {
      vars,
      application: application.port,
      certificate: `/etc/hostwright/pki/${name}.crt`,
      key: `/etc/hostwright/pki/${name}.key`,
      client,
      statusPort,
      drainFile: drainFile({ name: drainName }),
      hasIPv6: facts.ipv6 !== 'none',
    };
    const text = template('app_tls/app-tls.service.hbs', { config, after: application.unit });
    return [
      pkg('nginx-light'),
      // The package starts one with its own site, which serves nobody.
      ...(isWebServer(host, site) ? [] : [service('nginx', { running: false, enabled: false })]),
      ...drainPaths(),
      directory(folder, { exclusive: true }),
      permissions('/var/log/nginx', { mode: '0755' }, { needs: ['package:nginx-light'] }),
      file(config, { content: template('app_tls/nginx.conf.hbs', data) }),
      unit(`${name}.service`, { content: String(text) }, { needs: ['package:nginx-light'] }),
      service(
        name,
        {
          reloadOn: [config, data.certificate, '/etc/hostwright/pki/ca.crt'],
          validate: ['nginx', '-t', '-q', '-c', config],
          healthy: ['bash', '-c', answers, 'healthy', String(statusPort), String(vars.app_tls_port)],
        },
        { needs: [`host_certificate:${name}`] },
      ),
    ];
  },
});
