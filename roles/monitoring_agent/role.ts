import {
  defineRole,
  directory,
  file,
  hostGroup,
  permissions,
  pkg,
  z,
  type CertificateDeclaration,
  type Declaration,
  type Declared,
  type FloatingAddressDeclaration,
  type MetricsDeclaration,
  type MysqlMetricsDeclaration,
  type Resource,
  type RoleContext,
  type ScrapeDeclaration,
  type Site,
  type SiteHost,
} from 'hostwright';
import { certificateMetrics, textfileFolder } from './certificates.ts';
import { journalMetrics } from './journal.ts';
import { requestMetrics } from './requests.ts';
import { configFolder, exporter, exporters, formerExporter, type Exporter } from './exporter.ts';

const variables = z.object({
  monitoring_agent_keep: z
    .array(z.string())
    .default([])
    .describe(
      'names in /etc/prometheus-exporters that stay although the role does not write them, with * and ?',
    ),
  monitoring_node_collectors: z
    .array(z.string().regex(/^[a-z0-9_]+$/, 'expected the name of a collector of the node exporter'))
    .default([])
    .describe('more collectors of the node exporter, such as "processes"; "systemd" is always one'),
});

type Context = RoleContext<z.output<typeof variables>>;

/** What the roles of this host want to have measured. */
function measured(host: SiteHost, site: Pick<Site, 'declared'>): readonly Declared<MetricsDeclaration>[] {
  return site.declared<MetricsDeclaration>('metrics').filter((metrics) => metrics.host.name === host.name);
}

function present(host: SiteHost, site: Pick<Site, 'declared'>): readonly Exporter[] {
  const named = measured(host, site).map((metrics) => exporters[metrics.of]);
  return [exporters.node, ...new Set(named)];
}

function former({ host, site }: Context): readonly Exporter[] {
  const needed = present(host, site);
  return Object.values(exporters).filter((one) => !needed.includes(one));
}

function offered({ name, job, port }: Exporter): readonly Declaration[] {
  const certificate: CertificateDeclaration = {
    kind: 'certificate',
    name,
    group: 'prometheus',
    usage: ['server'],
  };
  const scrape: ScrapeDeclaration = { kind: 'scrape', job, port };
  return [certificate, scrape];
}

function nodeExporter(context: Context): readonly Resource[] {
  const { vars, site, template } = context;
  const isFloating = site.declared<FloatingAddressDeclaration>('floating_address').length > 0;
  const collectors = ['systemd', ...vars.monitoring_node_collectors];
  return [
    // The collector of systemd asks over the system bus.
    pkg('dbus'),
    ...exporter(exporters.node, context, {
      args: [
        ...[...new Set(collectors)].map((name) => `--collector.${name}`),
        // Which host has the address of the balancers.
        ...(isFloating ? ['--collector.netdev.address-info'] : []),
        // Debian's list without overlay, which is the root of some machines; those of containers are mounted
        // where the exporter does not look.
        '--collector.filesystem.fs-types-exclude=^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tmpfs|tracefs)$',
      ],
      sandbox: {
        families: ['AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_UNIX'],
        seesMachine: true,
      },
    }),
    permissions(textfileFolder, { mode: '0755' }, { needs: ['package:prometheus-node-exporter'] }),
    ...certificateMetrics(template),
    ...journalMetrics(context),
  ];
}

function nginxExporter(context: Context, url: string): readonly Resource[] {
  const args = [`--nginx.scrape-uri=${url}`];
  if (context.facts.codename !== 'bookworm') return exporter(exporters.nginx, context, { args });
  // That of Debian 12 cannot ask for a client's certificate, and reads its own at its start.
  const certificate = `/etc/hostwright/pki/${exporters.nginx.name}`;
  const tlsArgs = [
    '--web.secured-metrics',
    `--web.ssl-server-cert=${certificate}.crt`,
    `--web.ssl-server-key=${certificate}.key`,
  ];
  return exporter(exporters.nginx, context, { args, tlsArgs, reads: [`${certificate}.crt`] });
}

function mysqldExporter(
  context: Context,
  { socket = '/run/mysqld/mysqld.sock', user = 'prometheus', isGroup }: MysqlMetricsDeclaration,
): readonly Resource[] {
  const login = `${configFolder}/mysqld.cnf`;
  const old = context.facts.codename === 'bookworm';
  return [
    file(login, { content: context.template('monitoring_agent/mysqld.cnf.hbs', { socket, user }) }),
    ...exporter(exporters.mysql, context, {
      args: [
        ...(old ? [] : [`--config.my-cnf=${login}`]),
        '--collect.binlog_size',
        '--collect.info_schema.processlist',
        ...(isGroup ? ['--collect.perf_schema.replication_group_members'] : []),
      ],
      reads: [login],
      // Each upgrade of the package sees to it again.
      optionsFor: 'prometheus',
      sandbox: {
        families: ['AF_INET', 'AF_INET6', 'AF_UNIX'],
        // That of Debian 12 takes a login without a password from the environment only.
        settings: old ? [`Environment=DATA_SOURCE_NAME=${user}@unix(${socket})/`] : [],
      },
    }),
  ];
}

function apacheExporter(context: Context, url: string): readonly Resource[] {
  const old = context.facts.codename === 'bookworm';
  return exporter(exporters.apache, context, {
    args: [`--scrape_uri=${url}`],
    ...(old ? { flags: { address: '--telemetry.address', config: '--web.config' } } : {}),
  });
}

function servedBy(context: Context, metrics: MetricsDeclaration): readonly Resource[] {
  if (metrics.of === 'apache') return apacheExporter(context, metrics.url);
  if (metrics.of === 'nginx') {
    return nginxExporter(context, metrics.url ?? 'http://127.0.0.1:8081/stub_status');
  }
  return mysqldExporter(context, metrics);
}

export default defineRole({
  name: 'monitoring_agent',
  variables,
  derives: ({ host, site }) => present(host, site).flatMap(offered),
  listens: ({ host, site }) =>
    present(host, site).map(({ port, job }) => ({
      port,
      from: hostGroup('monitoring'),
      why: `${job} metrics for monitoring`,
    })),
  resources: (context) => [
    ...former(context).flatMap((one) => formerExporter(one, context)),
    directory(configFolder, { exclusive: true, keep: context.vars.monitoring_agent_keep }),
    ...nodeExporter(context),
    ...requestMetrics(context),
    ...measured(context.host, context.site).flatMap((metrics) => servedBy(context, metrics)),
  ],
});
