import { file, pkg, service, unit, type Resource, type ResourceId, type RoleContext } from 'hostwright';
import { defaults, listensOn, sandbox, scraper, type Sandbox } from '../monitoring/service.ts';

/** One exporter of Debian: the package, its unit and /etc/default file are called `prometheus-NAME`. */
export interface Exporter {
  /** Its certificate is called the same: `node-exporter`. */
  readonly name: string;
  /** The job of its scrape target: `node`. */
  readonly job: string;
  readonly port: number;
}

export const exporters = {
  node: { name: 'node-exporter', job: 'node', port: 9100 },
  nginx: { name: 'nginx-exporter', job: 'nginx', port: 9113 },
  apache: { name: 'apache-exporter', job: 'apache', port: 9117 },
  mysql: { name: 'mysqld-exporter', job: 'mysql', port: 9104 },
} as const satisfies Record<string, Exporter>;

export const configFolder = '/etc/prometheus-exporters';

type Context = Pick<RoleContext<object>, 'host' | 'facts' | 'template' | 'applied'>;

export function socketAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Puts away one that an earlier run has set up, and nothing on the host needs any more. Its package stays. */
export function formerExporter({ name }: Exporter, { applied }: Context): readonly Resource[] {
  const id = `prometheus-${name}.service` as const;
  if (!applied(`unit:${id}.d/hostwright.conf`)) return [];
  return [
    service(id, { running: false, enabled: false }),
    // The last one: as long as it is there, something may be left.
    unit(id, { dropIn: 'hostwright', absent: true }, { needs: [`service:${id}`] }),
  ];
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
    /** What it calls the options that all others call the same. */
    readonly flags?: { readonly address: string; readonly config: string };
    /** Its own options for TLS, where it cannot take a web configuration. */
    readonly tlsArgs?: readonly string[];
    readonly sandbox?: Sandbox;
    readonly reads?: readonly string[];
    readonly needs?: readonly ResourceId[];
    /** Whom Debian's package gives its options to whenever it is configured: root unless said. */
    readonly optionsFor?: string;
  },
): readonly Resource[] {
  // Behind address translation no interface has the address that others use: listen on all of them then.
  const isOwn = facts.addresses.includes(host.address);
  const webConfig = `${configFolder}/${name}.web.yml`;
  const optionsFile = `/etc/default/prometheus-${name}`;
  const { flags = { address: '--web.listen-address', config: '--web.config.file' } } = options;
  const args = [
    `${flags.address}=${socketAddress(isOwn ? host.address : '', port)}`,
    ...(options.tlsArgs ?? [`${flags.config}=${webConfig}`]),
    ...options.args,
  ];
  // exporter-toolkit knows the names of clients since 0.11, which Debian 12 does not have.
  const checksName = facts.codename !== 'bookworm';
  return [
    pkg(`prometheus-${name}`),
    ...(options.tlsArgs === undefined
      ? [
          file(webConfig, {
            content: template('monitoring_agent/web.yml.hbs', { name, clients: checksName ? [scraper] : [] }),
          }),
        ]
      : []),
    file(optionsFile, {
      content: defaults(template, args),
      ...(options.optionsFor === undefined
        ? {}
        : { owner: options.optionsFor, group: options.optionsFor, mode: '0640' }),
    }),
    unit(`prometheus-${name}.service`, {
      dropIn: 'hostwright',
      content: sandbox(template, options.sandbox),
    }),
    service(
      `prometheus-${name}`,
      {
        restartOn: [optionsFile, ...(options.reads ?? [])],
        healthy: [...listensOn(port)],
      },
      { needs: [`host_certificate:${name}`, ...(options.needs ?? [])] },
    ),
  ];
}
