import {
  directory,
  file,
  pkg,
  service,
  unit,
  type Resource,
  type ResourceId,
  type RoleContext,
} from 'hostwright';

/** One exporter of Debian: the package, its unit and /etc/default file are called `prometheus-NAME`. */
export interface Exporter {
  /** Its certificate is called the same: `node-exporter`. */
  readonly name: string;
  /** The job of its scrape target: `node`. */
  readonly job: string;
  readonly port: number;
}

/** What the sandbox of a service leaves open; see templates/monitoring_agent/sandbox.conf.hbs. */
export interface Sandbox {
  readonly families?: readonly string[];
  /** For what reports on the whole machine: every process, every mount, the clock. */
  readonly seesMachine?: boolean;
  /** Directories that it writes to. */
  readonly writes?: readonly string[];
  /** More lines of `[Service]`. */
  readonly settings?: readonly string[];
}

export const exporters = {
  node: { name: 'node-exporter', job: 'node', port: 9100 },
  nginx: { name: 'nginx-exporter', job: 'nginx', port: 9113 },
  mysql: { name: 'mysqld-exporter', job: 'mysql', port: 9104 },
} as const satisfies Record<string, Exporter>;

export const configFolder = '/etc/prometheus-exporters';

/** What `prometheus` names the client certificate of the monitoring server, in its subject and its names. */
export const scraper = 'prometheus';

type Context = Pick<RoleContext<object>, 'host' | 'facts' | 'template'>;

export function socketAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The drop-in that takes from a unit what it has no need of. */
export function sandbox(template: Context['template'], options: Sandbox = {}): string {
  const text = template('monitoring_agent/sandbox.conf.hbs', {
    families: options.families ?? ['AF_INET', 'AF_INET6'],
    seesMachine: options.seesMachine ?? false,
    writes: options.writes ?? [],
    settings: options.settings ?? [],
  });
  return String(text);
}

/** The lines that Debian's units take their options from. */
export function defaults(template: Context['template'], args: readonly string[]): string {
  return String(template('monitoring_agent/default.hbs', { args }));
}

/** Succeeds when something accepts connections; bare hosts have bash and nothing else that connects. */
export function accepts(address: string, port: number): readonly [string, ...string[]] {
  return ['bash', '-c', `exec 3<>"/dev/tcp/$1/$2"`, 'accepts', address, String(port)];
}

/**
 * An exporter that answers over TLS, and only those who show the monitoring server's certificate. It reads
 * its web configuration and its certificates anew for every connection, so that only options and the
 * sandbox need a restart.
 */
export function exporter(
  { name, port }: Exporter,
  { host, facts, template }: Context,
  options: {
    readonly args: readonly string[];
    /** Its own options for TLS, where it cannot take a web configuration. */
    readonly tlsArgs?: readonly string[];
    readonly sandbox?: Sandbox;
    readonly reads?: readonly string[];
    readonly needs?: readonly ResourceId[];
  },
): readonly Resource[] {
  // Behind address translation no interface has the address that others use: listen on all of them then.
  const isOwn = facts.addresses.includes(host.address);
  const webConfig = `${configFolder}/${name}.web.yml`;
  const optionsFile = `/etc/default/prometheus-${name}`;
  const args = [
    `--web.listen-address=${socketAddress(isOwn ? host.address : '', port)}`,
    ...(options.tlsArgs ?? [`--web.config.file=${webConfig}`]),
    ...options.args,
  ];
  // exporter-toolkit knows the names of clients since 0.11, which Debian 12 does not have.
  const checksName = facts.codename !== 'bookworm';
  return [
    pkg(`prometheus-${name}`),
    directory(configFolder),
    ...(options.tlsArgs === undefined
      ? [
          file(webConfig, {
            content: template('monitoring_agent/web.yml.hbs', { name, clients: checksName ? [scraper] : [] }),
          }),
        ]
      : []),
    file(optionsFile, { content: defaults(template, args) }),
    unit(`prometheus-${name}.service`, {
      dropIn: 'hostwright',
      content: sandbox(template, options.sandbox),
    }),
    service(
      `prometheus-${name}`,
      {
        restartOn: [optionsFile, ...(options.reads ?? [])],
        healthy: [...accepts(isOwn ? host.address : '127.0.0.1', port)],
      },
      { needs: [`host_certificate:${name}`, ...(options.needs ?? [])] },
    ),
  ];
}
