import { isIPv6, SocketAddress } from 'node:net';
import {
  defineRole,
  directory,
  file,
  permissions,
  pkg,
  user,
  type BackupDeclaration,
  type CertificateDeclaration,
  type DashboardPageDeclaration,
  type FloatingAddressDeclaration,
  type Resource,
  type RoleContext,
  type Site,
  type SiteHost,
} from 'hostwright';
import { defaults, scraper } from '../monitoring/service.ts';
import { dashboardPage, dashboardResources } from './dashboard.ts';
import { notifications, secretFiles } from './notify.ts';
import { watcher } from './services.ts';
import { jobs, probes } from './targets.ts';
import { variables, type Variables } from './variables.ts';
import { webServersOf } from './web-servers.ts';

type Context = RoleContext<Variables>;

/** Seconds; a certificate does not run out between two probes. */
const probeInterval = 30;

/** A regular expression of hosts; empty without any. */
function hostPattern(hosts: readonly SiteHost[]): string {
  return hosts.map(({ name }) => name.replaceAll(/[.+]/g, '[$&]')).join('|');
}

/** Each shared address, as the node exporter writes it, with the balancers of which one has it. */
function floating(site: Pick<Site, 'declared'>) {
  const declared = site.declared<FloatingAddressDeclaration>('floating_address');
  const addresses = new Set(declared.flatMap((one) => one.addresses));
  return {
    balancers: hostPattern(declared.map(({ host }) => host)),
    floating: [...addresses].map((address) => ({
      address: new SocketAddress({ address, family: isIPv6(address) ? 'ipv6' : 'ipv4' }).address,
      hosts: hostPattern(declared.filter((one) => one.addresses.includes(address)).map(({ host }) => host)),
    })),
  };
}

/** What the rules are made of, from the variables of the role. */
function rulesData({ vars, site }: Context) {
  const senders = site.declared<BackupDeclaration>('backup').map(({ host }) => host);
  return {
    backups: hostPattern(senders),
    ...floating(site),
    ...webServersOf(site),
    backupHours: vars.monitoring_backup_hours,
    // At least six readings: fewer make a rate that jumps with every one that comes late.
    window: Math.max(30, 6 * vars.monitoring_scrape_seconds),
    frontends: vars.monitoring_site_frontend,
    qpsThreshold: vars.monitoring_qps_threshold,
    qpsKept: (100 - vars.monitoring_qps_drop_percent) / 100,
    qpsKeptPercent: 100 - vars.monitoring_qps_drop_percent,
    qpsFloor: vars.monitoring_qps_drop_floor,
    diskPercent: vars.monitoring_disk_percent,
    replicationLag: vars.monitoring_replication_lag_seconds,
    certificateDays: vars.monitoring_certificate_days,
    logErrors: vars.monitoring_log_errors,
    loginFailures: vars.monitoring_login_failures,
  };
}

/** A site without a balancer has no public certificate that could be asked for. */
function probed({ vars, site }: Context) {
  return vars.domain === undefined ? [] : probes(site.hosts('lb'));
}

function prometheus(context: Context): readonly Resource[] {
  const { vars, host, site, template } = context;
  const isProbing = probed(context).length > 0;
  const labels = { host: host.name };
  const local = [
    { job: 'prometheus', target: '127.0.0.1:9090', labels },
    { job: 'alertmanager', target: '127.0.0.1:9093', labels },
    ...(isProbing ? [{ job: 'blackbox', target: '127.0.0.1:9115', labels }] : []),
  ];
  return [
    pkg('prometheus'),
    file('/etc/default/prometheus', {
      content: defaults(template, [
        '--web.listen-address=127.0.0.1:9090',
        `--storage.tsdb.retention.time=${vars.monitoring_retention_days}d`,
        `--storage.tsdb.retention.size=${vars.monitoring_retention_gigabytes}GB`,
      ]),
    }),
    directory('/etc/prometheus'),
    directory('/etc/prometheus/rules', { exclusive: true, keep: vars.monitoring_server_keep }),
    file('/etc/prometheus/rules/recording.yml', {
      content: template('monitoring_server/recording.yml.hbs', rulesData(context)),
    }),
    file('/etc/prometheus/rules/alerts.yml', {
      content: template('monitoring_server/alerts.yml.hbs', rulesData(context)),
    }),
    file('/etc/prometheus/prometheus.yml', {
      content: template('monitoring_server/prometheus.yml.hbs', {
        interval: vars.monitoring_scrape_seconds,
        probeInterval,
        local,
        jobs: jobs(site),
        probes: probed(context),
      }),
    }),
    permissions(
      '/var/lib/prometheus/metrics2',
      { owner: 'prometheus', group: 'prometheus', mode: '0755' },
      { needs: ['package:prometheus'] },
    ),
    ...watcher(
      {
        name: 'prometheus',
        port: 9090,
        prefix: 'prometheus',
        config: '/etc/prometheus',
        validate: ['promtool', 'check', 'config', '/etc/prometheus/prometheus.yml'],
        sandbox: { writes: ['/var/lib/prometheus/metrics2'] },
        needs: ['host_certificate:prometheus'],
      },
      context,
    ),
  ];
}

/** It runs as a user of its own: that of Debian is shared with every exporter, and it has secrets to keep. */
function alertmanager(context: Context): readonly Resource[] {
  const { vars, template } = context;
  return [
    pkg('prometheus-alertmanager'),
    user('alertmanager', {
      system: true,
      home: '/var/lib/alertmanager',
      comment: 'Alertmanager',
      shell: '/usr/sbin/nologin',
    }),
    file('/etc/default/prometheus-alertmanager', {
      content: defaults(template, [
        '--config.file=/etc/alertmanager/alertmanager.yml',
        '--storage.path=/var/lib/alertmanager',
        '--web.listen-address=127.0.0.1:9093',
        // It would listen for others of its kind on every address.
        '--cluster.listen-address=',
      ]),
    }),
    permissions('/var/lib/alertmanager', { owner: 'alertmanager', group: 'alertmanager', mode: '0755' }),
    directory('/etc/alertmanager', { exclusive: true, keep: vars.monitoring_server_keep }),
    ...secretFiles(vars),
    file('/etc/alertmanager/alertmanager.yml', {
      content: template('monitoring_server/alertmanager.yml.hbs', notifications(vars)),
    }),
    ...watcher(
      {
        name: 'prometheus-alertmanager',
        port: 9093,
        prefix: 'alertmanager',
        config: '/etc/alertmanager',
        validate: ['amtool', 'check-config', '/etc/alertmanager/alertmanager.yml'],
        sandbox: { settings: ['User=alertmanager', 'StateDirectory=alertmanager'] },
      },
      context,
    ),
  ];
}

/** The only true answer to how long a certificate is good is the one that visitors get. */
function blackbox(context: Context): readonly Resource[] {
  const { vars, template } = context;
  if (vars.domain === undefined || probed(context).length === 0) return [];
  return [
    pkg('prometheus-blackbox-exporter'),
    file('/etc/default/prometheus-blackbox-exporter', {
      content: defaults(template, [
        '--config.file=/etc/blackbox/blackbox.yml',
        '--web.listen-address=127.0.0.1:9115',
      ]),
    }),
    directory('/etc/blackbox', { exclusive: true, keep: vars.monitoring_server_keep }),
    file('/etc/blackbox/blackbox.yml', {
      content: template('monitoring_server/blackbox.yml.hbs', { domain: vars.domain }),
    }),
    ...watcher(
      {
        name: 'prometheus-blackbox-exporter',
        port: 9115,
        prefix: 'blackbox_exporter',
        config: '/etc/blackbox',
        validate: [
          'prometheus-blackbox-exporter',
          '--config.file=/etc/blackbox/blackbox.yml',
          '--config.check',
        ],
        sandbox: {},
      },
      context,
    ),
  ];
}

export default defineRole({
  name: 'monitoring_server',
  variables,
  declares: ({ vars }): readonly (CertificateDeclaration | DashboardPageDeclaration)[] => [
    { kind: 'certificate', name: scraper, group: 'prometheus', names: [scraper], usage: ['client'] },
    ...(vars.monitoring_dashboard ? [dashboardPage] : []),
  ],
  resources: (context) => [
    ...prometheus(context),
    ...alertmanager(context),
    ...blackbox(context),
    ...dashboardResources(context),
  ],
});
