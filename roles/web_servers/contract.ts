import {
  directory,
  drainFile,
  drainFolder,
  file,
  hostGroup,
  HostwrightError,
  z,
  type ApplicationDeclaration,
  type BackendDeclaration,
  type CertificateDeclaration,
  type Declaration,
  type Listen,
  type Resource,
  type RoleContext,
} from 'hostwright';
import { drainOf, drainWith, undrainOf } from './drain.ts';
import { statusPort, type WebServer } from './server.ts';

const pki = '/etc/hostwright/pki';

const size = z.string().regex(/^[1-9]\d*[kmg]?$/, 'expected a size such as "8m"');

/** What every web server can be told. Each has variables of its own for it: `nginx_port`. */
const settings = {
  port: z.number().int().min(1).max(65535).default(8443).describe('TLS, for the balancers'),
  clients: z
    .array(z.string().regex(/^[\w.-]+$/, 'expected the common name of a certificate'))
    .nonempty()
    .default(['haproxy'])
    .describe('common names of the certificates of the internal CA that are let in'),
  body_size: size.default('8m').describe('largest body of a request'),
  client_timeout: z
    .number()
    .int()
    .positive()
    .default(15)
    .describe('seconds between two reads of a request, or two writes of an answer'),
  app_timeout: z
    .number()
    .int()
    .positive()
    .default(60)
    .describe('seconds that the application may take to answer'),
  compress_pages: z
    .boolean()
    .default(false)
    .describe('compress every text, not only files such as .css; see BREACH in the README'),
};

const settingsSchema = z.object(settings);

type Settings = z.output<typeof settingsSchema>;
type Vars = Readonly<Record<string, unknown>>;

const healthPath = z
  .string()
  .regex(/^\/[\w./~-]*$/, 'expected a path such as /healthz')
  .default('/healthz')
  .describe('of the application: answers 200 while it can serve');

/** Its own words for what every web server can be told, as a role takes them. */
function variablesOf({ name }: WebServer) {
  const own = Object.entries(settings).map(([key, schema]) => [`${name}_${key}`, schema] as const);
  return { ...Object.fromEntries(own), app_health_path: healthPath };
}

function settingsOf({ name }: WebServer, vars: Vars): Settings {
  return settingsSchema.parse(
    Object.fromEntries(Object.keys(settings).map((key) => [key, vars[`${name}_${key}`]])),
  );
}

/** Also there after a reboot, for the check of the web server. */
function drainPaths(): readonly Resource[] {
  return [
    directory(drainFolder, { mode: '0755' }),
    file('/etc/tmpfiles.d/hostwright-drain.conf', { content: `d ${drainFolder} 0755 root root -\n` }),
  ];
}

/** The application that requests are passed to. E_ROLE where the host has none. */
function applicationOf({ name }: WebServer, { host, site }: Pick<RoleContext<Vars>, 'host' | 'site'>) {
  const application = site
    .declared<ApplicationDeclaration>('application')
    .find((declared) => declared.host.name === host.name);
  if (application !== undefined) return application;
  throw new HostwrightError('E_ROLE', `${name} has no application on ${host.name} to pass requests to`, {
    place: { host: host.name },
    expected: 'a role on the same host that declares an application',
    hint: 'give the host the role app as well, in site.yml',
  });
}

/** Succeeds when it answers, and the port of the balancer is open. */
const answers = `exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$3" >&3
IFS= read -r status <&3
echo "$3: \${status:-no answer}"
[[ $status == 'HTTP/1.'?' 200'* ]] && exec 4<>"/dev/tcp/127.0.0.1/$2"`;

/**
 * What all web servers have in common, whichever it is: who may ask, what the application gets, what balancers are
 * told. The rest is a template, a package and a unit.
 */
export function webServer(server: WebServer) {
  return {
    variables: variablesOf(server),
    actions: { drain: drainOf(server), undrain: undrainOf(server) },
    listens: ({ vars }: { readonly vars: Vars }): readonly Listen[] => [
      {
        port: settingsOf(server, vars).port,
        from: hostGroup('lb'),
        why: 'requests from the balancer',
      },
    ],
    declares: ({ vars }: { readonly vars: Vars }): readonly Declaration[] => [
      { kind: 'certificate', name: server.name } satisfies CertificateDeclaration,
      {
        kind: 'backend',
        port: settingsOf(server, vars).port,
        healthPath: healthPath.parse(vars['app_health_path']),
        drain: drainWith(server),
      } satisfies BackendDeclaration,
    ],
    /** What its templates are made of. */
    data: (context: Pick<RoleContext<Vars>, 'vars' | 'host' | 'site' | 'facts'>) => ({
      vars: context.vars,
      certificate: `${pki}/${server.name}.crt`,
      statusPort,
      drainFile: drainFile(drainWith(server)),
      application: applicationOf(server, context).port,
      balancers: context.site.hosts('lb').map((balancer) => balancer.address),
      // Without IPv6 in the kernel a web server does not start with an IPv6 socket.
      hasIPv6: context.facts.ipv6 !== 'none',
    }),
    /** What the template of its unit is made of. */
    unitData: ({ host, site }: Pick<RoleContext<Vars>, 'host' | 'site'>) => ({
      /** It stops before the application that it passes requests to. */
      after: applicationOf(server, { host, site }).unit,
      /** Requests in hand end before it stops: others get new ones meanwhile. */
      waits: site.declared<BackendDeclaration>('backend').some((other) => other.host.name !== host.name),
    }),
    /** What it reads anew when it is reloaded, beside its configuration. */
    certificates: [`${pki}/${server.name}.crt`, `${pki}/ca.crt`],
    healthy: (vars: Vars): [string, ...string[]] => [
      ...(['bash', '-c', answers, 'healthy'] as const),
      ...[String(statusPort), String(settingsOf(server, vars).port), server.statusPath],
    ],
    drainPaths,
  };
}
