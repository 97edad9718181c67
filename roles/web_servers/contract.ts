import {
  drainFile,
  drainFolder,
  hostGroup,
  HostwrightError,
  service,
  unit,
  type ApplicationDeclaration,
  type ApplicationProxyDeclaration,
  type BackendDeclaration,
  type CertificateDeclaration,
  type Declaration,
  type Listen,
  type RequestLogDeclaration,
  type Resource,
  type RoleContext,
} from 'hostwright';
import { webServers } from './all.ts';
import { drainName, drainOf, drainPaths, drainWith, undrainOf } from './drain.ts';
import { statusPort, type WebServer } from './server.ts';
import { healthPath, settingsOf, variablesOf, type Vars } from './variables.ts';

/** One for whichever web server there is, so that one that takes over from another finds it; nginx was the first. */
const certificate = 'nginx';
const pki = '/etc/hostwright/pki';

type Context = Pick<RoleContext<Vars>, 'vars' | 'host' | 'site' | 'facts' | 'template' | 'applied'>;

/** Where requests are passed to: the application of the host, or the way to those of others. E_ROLE for neither. */
function applicationOf(
  { name }: WebServer,
  { host, site }: Pick<RoleContext<Vars>, 'host' | 'site'>,
): { readonly port: number; readonly unit?: string } {
  const here = <One extends Declaration>(kind: One['kind']) =>
    site.declared<One>(kind).find((declared) => declared.host.name === host.name);
  const application =
    here<ApplicationDeclaration>('application') ?? here<ApplicationProxyDeclaration>('application_proxy');
  if (application !== undefined) return application;
  throw new HostwrightError('E_ROLE', `${name} has no application on ${host.name} to pass requests to`, {
    place: { host: host.name },
    expected: 'a role on the same host that declares an application, or a way to it',
    hint: 'give the host the role app as well, in site.yml, or app_proxy where the application is on other hosts',
  });
}

/** The host is to have another web server: E_ROLE where no play gives it the role of that one. */
function refuseWithoutRole({ name }: WebServer, { vars, host, site }: Context): void {
  const backends = site.declared<BackendDeclaration>('backend');
  if (backends.some((backend) => backend.host.name === host.name)) return;
  const chosen = String(vars['web_server']);
  throw new HostwrightError('E_ROLE', `no play gives ${host.name} the role ${chosen}, its web server`, {
    place: { host: host.name },
    found: `web_server is ${chosen}, and the host has the role ${name}`,
    hint: `add ${chosen} to the roles of the play that has ${name}, in site.yml`,
  });
}

/** Succeeds when it answers, and the port of the balancer is open. */
const answers = `exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$3" >&3
IFS= read -r status <&3
echo "$3: \${status:-no answer}"
[[ $status == 'HTTP/1.'?' 200'* ]] && exec 4<>"/dev/tcp/127.0.0.1/$2"`;

const dropIn = 'hostwright';

/**
 * The web servers that Hostwright has set up on the host before. The new one takes their place at the last moment, and
 * only when it works they are put away, their drop-in last. Their packages stay.
 */
function former(server: WebServer, { applied }: Context) {
  const others = webServers.filter(
    ({ name, unit }) => name !== server.name && applied(`unit:${unit}.service.d/${dropIn}.conf`),
  );
  return {
    replaces: others.map((other) => `${other.unit}.service`),
    putAway: others.flatMap(({ unit: other }) => [
      service(
        other,
        { running: false, enabled: false },
        { needs: [`service:${server.unit}.service`, `unit:${server.unit}.service.d/${dropIn}.conf`] },
      ),
      unit(`${other}.service`, { dropIn, absent: true }, { needs: [`service:${other}.service`] }),
    ]),
  };
}

/** Whether others get the requests while those in hand end. */
function hasOthers({ host, site }: Context): boolean {
  return site.declared<BackendDeclaration>('backend').some((other) => other.host.name !== host.name);
}

/** The drop-in of its unit. */
function unitText(server: WebServer, context: Context): string {
  const { capabilities, writes, settings = [], finishing = [] } = server.unitSettings;
  const content = context.template('web_servers/service.hbs', {
    after: applicationOf(server, context).unit,
    capabilities,
    writes,
    settings: [...settings, ...(hasOthers(context) ? finishing : [])],
  });
  return String(content);
}

/** What a template of a web server is made of. */
function dataOf(server: WebServer, context: Context) {
  const { vars, site, facts } = context;
  return {
    vars,
    settings: settingsOf(server, vars),
    certificate: `${pki}/${certificate}.crt`,
    statusPort,
    drainFolder,
    drainName,
    drainFile: drainFile({ name: drainName }),
    hasOthers: hasOthers(context),
    application: applicationOf(server, context).port,
    balancers: site.hosts('lb').map((balancer) => balancer.address),
    // Without IPv6 in the kernel a web server does not start with an IPv6 socket.
    hasIPv6: facts.ipv6 !== 'none',
  };
}

type Data = ReturnType<typeof dataOf>;

/** The part of a web server that is its own. */
interface Own {
  /** Packages, and the files of its configuration. */
  readonly resources: readonly Resource[];
  /** The name of the package with its unit. */
  readonly package: string;
  readonly service: {
    readonly reloadOn: readonly string[];
    readonly validate: [string, ...string[]];
    readonly reload?: [string, ...string[]];
  };
}

function resourcesOf(server: WebServer, context: Context, own: Own): readonly Resource[] {
  const { port } = settingsOf(server, context.vars);
  const { replaces, putAway } = former(server, context);
  return [
    ...own.resources,
    ...drainPaths(),
    unit(
      `${server.unit}.service`,
      { dropIn, content: unitText(server, context) },
      { needs: [`package:${own.package}`] },
    ),
    service(
      server.unit,
      {
        ...own.service,
        reloadOn: [...own.service.reloadOn, `${pki}/${certificate}.crt`, `${pki}/ca.crt`],
        healthy: ['bash', '-c', answers, 'healthy', String(statusPort), String(port), server.statusPath],
        replaces,
      },
      { needs: [`host_certificate:${certificate}`, `unit:${server.unit}.service.d/${dropIn}.conf`] },
    ),
    ...putAway,
  ];
}

/**
 * What all web servers have in common, whichever it is: who may ask, what the application gets, what balancers are
 * told. The rest is a template, a package and a unit. A host has one of them, which `web_server` names; the roles of
 * the others declare nothing there.
 */
export function webServer(server: WebServer) {
  const isChosen = ({ vars }: { readonly vars: Vars }): boolean => vars['web_server'] === server.name;
  return {
    variables: variablesOf(server),
    actions: { drain: drainOf(server), undrain: undrainOf(server) },
    listens: (context: { readonly vars: Vars }, more: readonly Listen[] = []): readonly Listen[] => {
      if (!isChosen(context)) return [];
      const { port } = settingsOf(server, context.vars);
      return [{ port, from: hostGroup('lb'), why: 'requests from the balancer' }, ...more];
    },
    declares: (
      context: { readonly vars: Vars },
      more: readonly Declaration[] = [],
    ): readonly Declaration[] => {
      if (!isChosen(context)) return [];
      const { group, requestLog } = server;
      return [
        {
          ...{ kind: 'certificate', name: certificate },
          ...(group === undefined ? {} : { group }),
        } satisfies CertificateDeclaration,
        {
          kind: 'backend',
          port: settingsOf(server, context.vars).port,
          healthPath: healthPath.parse(context.vars['app_health_path']),
          drain: drainWith(server, context.vars),
        } satisfies BackendDeclaration,
        ...(requestLog === undefined
          ? []
          : [{ kind: 'request_log', path: requestLog } satisfies RequestLogDeclaration]),
        ...more,
      ];
    },
    resources: (context: Context, own: (data: Data) => Own): readonly Resource[] => {
      if (isChosen(context)) return resourcesOf(server, context, own(dataOf(server, context)));
      refuseWithoutRole(server, context);
      return [];
    },
  };
}
