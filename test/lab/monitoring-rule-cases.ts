/** Series over time, in promtool's notation, and the alerts that fire at a time, by the labels that matter. */
export interface RuleCase {
  readonly what: string;
  /** Between two values of a series; 30s unless said. */
  readonly interval?: string;
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  /** By labels that tell them apart. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const day = 86_400;
const requests = 'haproxy_frontend_http_requests_total{proxy="https", host="web1"}';

const traffic: readonly RuleCase[] = [
  {
    what: 'QpsHigh fires above the threshold, and counts neither redirects nor metrics',
    interval: '5s',
    series: { [requests]: '0+5005x60' },
    at: '3m',
    fires: [{ alertname: 'QpsHigh', severity: 'warning' }],
  },
  {
    what: 'QpsHigh does not fire below the threshold',
    interval: '5s',
    series: {
      [requests]: '0+4995x60',
      'haproxy_frontend_http_requests_total{proxy="http", host="web1"}': '0+5000x60',
      'haproxy_frontend_http_requests_total{proxy="metrics", host="web1"}': '0+5000x60',
    },
    at: '3m',
    fires: [],
  },
  {
    what: 'QpsHigh adds up the balancers',
    interval: '5s',
    series: {
      [requests]: '0+3000x60',
      'haproxy_frontend_http_requests_total{proxy="https", host="web2"}': '0+3000x60',
    },
    at: '3m',
    fires: [{ alertname: 'QpsHigh', severity: 'warning' }],
  },
  {
    what: 'QpsHigh counts at the web servers where there is no balancer',
    interval: '5s',
    series: {
      'nginx_http_requests_total{host="web1"}': '0+3000x60',
      'nginx_http_requests_total{host="web2"}': '0+3000x60',
    },
    at: '3m',
    fires: [{ alertname: 'QpsHigh', severity: 'warning' }],
  },
  {
    what: 'QpsDropped fires when 100 requests a second become 40',
    interval: '5s',
    series: { [requests]: '0+500x780 390000+200x60' },
    at: '69m',
    fires: [{ alertname: 'QpsDropped', severity: 'critical' }],
  },
  {
    what: 'QpsDropped does not fire when 100 requests a second become 60',
    interval: '5s',
    series: { [requests]: '0+500x780 390000+300x60' },
    at: '69m',
    fires: [],
  },
  {
    what: 'QpsDropped does not fire when a rush of ten minutes is over',
    interval: '5s',
    series: { [requests]: '0+50x720 36000+500x120 96000+50x60' },
    at: '74m',
    fires: [],
  },
  {
    what: 'QpsDropped does not fire for a site that is known for half an hour',
    interval: '5s',
    series: { [requests]: '0+500x360 180000+50x60' },
    at: '34m',
    fires: [],
  },
  {
    what: 'QpsDropped does not fire when the counter begins anew with the process',
    interval: '5s',
    series: { [requests]: '0+500x780 0+500x60' },
    at: '69m',
    fires: [],
  },
  {
    what: 'QpsDropped does not fire for a site that is idle anyway',
    interval: '5s',
    series: { [requests]: '0+20x780 15600+0x60' },
    at: '69m',
    fires: [],
  },
];

const hosts: readonly RuleCase[] = [
  {
    what: 'HostDown fires when nothing on a host answers',
    series: {
      'up{job="node", host="web1", instance="a"}': '1x20',
      'up{job="node", host="web2", instance="b"}': '1x4 0x20',
      'up{job="nginx", host="web2", instance="c"}': '1x4 0x20',
    },
    at: '5m',
    fires: [
      { alertname: 'HostDown', severity: 'critical', host: 'web2' },
      { alertname: 'TargetDown', severity: 'warning', host: 'web2', job: 'node' },
      { alertname: 'TargetDown', severity: 'warning', host: 'web2', job: 'nginx' },
    ],
  },
  {
    what: 'TargetDown alone fires when something else on the host answers',
    series: {
      'up{job="node", host="web2"}': '0x20',
      'up{job="nginx", host="web2"}': '1x20',
    },
    at: '5m',
    fires: [{ alertname: 'TargetDown', severity: 'warning', host: 'web2', job: 'node' }],
  },
  {
    what: 'TargetDown does not fire for a restart',
    series: { 'up{job="node", host="web2"}': '1x4 0 1x20', 'up{job="nginx", host="web2"}': '1x20' },
    at: '3m',
    fires: [],
  },
  {
    what: 'SystemdUnitFailed names the unit',
    series: {
      'node_systemd_unit_state{state="failed", name="app.service", host="web2"}': '1x10',
      'node_systemd_unit_state{state="failed", name="nginx.service", host="web2"}': '0x10',
      'node_systemd_unit_state{state="active", name="nginx.service", host="web2"}': '1x10',
    },
    at: '4m',
    fires: [{ alertname: 'SystemdUnitFailed', severity: 'warning', host: 'web2', name: 'app.service' }],
  },
];

const disk = '{host="web1", mountpoint="/"}';
const otherDisk = '{host="web1", mountpoint="/srv"}';

const disks: readonly RuleCase[] = [
  {
    what: 'DiskAlmostFull fires below ten percent, and not for what is read only',
    series: {
      [`node_filesystem_avail_bytes${disk}`]: '9x20',
      [`node_filesystem_size_bytes${disk}`]: '100x20',
      [`node_filesystem_readonly${disk}`]: '0x20',
      [`node_filesystem_avail_bytes${otherDisk}`]: '0x20',
      [`node_filesystem_size_bytes${otherDisk}`]: '100x20',
      [`node_filesystem_readonly${otherDisk}`]: '1x20',
    },
    at: '8m',
    fires: [{ alertname: 'DiskAlmostFull', severity: 'critical', host: 'web1', mountpoint: '/' }],
  },
  {
    what: 'DiskAlmostFull does not fire above ten percent',
    series: {
      [`node_filesystem_avail_bytes${disk}`]: '11x20',
      [`node_filesystem_size_bytes${disk}`]: '100x20',
      [`node_filesystem_readonly${disk}`]: '0x20',
    },
    at: '8m',
    fires: [],
  },
  {
    what: 'DiskFilling fires when the disk will be full within a day',
    interval: '1m',
    series: {
      [`node_filesystem_avail_bytes${disk}`]: '39000-50x120',
      [`node_filesystem_size_bytes${disk}`]: '100000x120',
      [`node_filesystem_readonly${disk}`]: '0x120',
    },
    at: '100m',
    fires: [{ alertname: 'DiskFilling', severity: 'warning', host: 'web1', mountpoint: '/' }],
  },
  {
    what: 'DiskFilling does not fire when it takes longer',
    interval: '1m',
    series: {
      [`node_filesystem_avail_bytes${disk}`]: '39000-20x120',
      [`node_filesystem_size_bytes${disk}`]: '100000x120',
      [`node_filesystem_readonly${disk}`]: '0x120',
    },
    at: '100m',
    fires: [],
  },
  {
    what: 'DiskFilling does not fire for what the first hour wrote',
    interval: '1m',
    series: {
      [`node_filesystem_avail_bytes${disk}`]: '39000-200x80',
      [`node_filesystem_size_bytes${disk}`]: '100000x80',
      [`node_filesystem_readonly${disk}`]: '0x80',
    },
    at: '59m',
    fires: [],
  },
];

const status = (server: string, state: string, balancer = 'web1'): string =>
  `haproxy_server_status{host="${balancer}", proxy="web", server="${server}", state="${state}"}`;

const site: readonly RuleCase[] = [
  {
    what: 'BackendDown names the server as the host, and the balancer that says so',
    series: {
      [status('web1', 'UP')]: '1x10',
      [status('web1', 'DOWN')]: '0x10',
      [status('web2', 'UP')]: '0x10',
      [status('web2', 'DOWN')]: '1x10',
    },
    at: '2m',
    fires: [{ alertname: 'BackendDown', severity: 'warning', host: 'web2', balancer: 'web1' }],
  },
  {
    what: 'BackendDown does not fire for a server that is drained',
    series: {
      [status('web1', 'UP')]: '1x10',
      [status('web2', 'UP')]: '0x10',
      [status('web2', 'DOWN')]: '0x10',
      [status('web2', 'DRAIN')]: '1x10',
    },
    at: '2m',
    fires: [],
  },
  {
    what: 'AllBackendsDown fires when no server is up, for the balancer that sees none',
    series: {
      [status('web1', 'UP')]: '0x10',
      [status('web1', 'MAINT')]: '1x10',
      [status('web2', 'UP')]: '0x10',
      [status('web2', 'MAINT')]: '1x10',
      [status('web1', 'UP', 'web3')]: '1x10',
      [status('web2', 'UP', 'web3')]: '0x10',
    },
    at: '2m',
    fires: [{ alertname: 'AllBackendsDown', severity: 'critical', host: 'web1', balancer: 'web1' }],
  },
  {
    what: 'WebServerDown fires when the exporter runs and nginx does not',
    series: { 'nginx_up{host="web2"}': '0x10', 'nginx_up{host="web1"}': '1x10' },
    at: '3m',
    fires: [{ alertname: 'WebServerDown', severity: 'warning', host: 'web2' }],
  },
  {
    what: 'SiteUnreachable fires when a balancer does not serve the site',
    series: {
      'probe_success{job="site", host="web1"}': '0x10',
      'probe_success{job="site", host="web2"}': '1x10',
    },
    at: '3m',
    fires: [{ alertname: 'SiteUnreachable', severity: 'critical', host: 'web1' }],
  },
];

const database: readonly RuleCase[] = [
  {
    what: 'DatabaseDown fires when the exporter runs and the database does not',
    series: { 'mysql_up{host="web2"}': '0x10', 'mysql_up{host="web3"}': '1x10' },
    at: '2m',
    fires: [{ alertname: 'DatabaseDown', severity: 'critical', host: 'web2' }],
  },
  {
    what: 'ReplicationStopped fires when MySQL does not apply',
    series: {
      'mysql_slave_status_replica_io_running{host="web3"}': '1x10',
      'mysql_slave_status_replica_sql_running{host="web3"}': '0x10',
    },
    at: '3m',
    fires: [{ alertname: 'ReplicationStopped', severity: 'critical', host: 'web3' }],
  },
  {
    what: 'ReplicationStopped fires when MariaDB does not fetch',
    series: {
      'mysql_slave_status_slave_io_running{host="web3"}': '0x10',
      'mysql_slave_status_slave_sql_running{host="web3"}': '1x10',
    },
    at: '3m',
    fires: [{ alertname: 'ReplicationStopped', severity: 'critical', host: 'web3' }],
  },
  {
    what: 'no alert about a replication that runs, of either server',
    series: {
      'up{job="mysql", replication="replica", host="web3"}': '1x20',
      'mysql_slave_status_replica_io_running{host="web3"}': '1x20',
      'mysql_slave_status_replica_sql_running{host="web3"}': '1x20',
      'mysql_slave_status_seconds_behind_source{host="web3"}': '30x20',
      'up{job="mysql", replication="replica", host="web4"}': '1x20',
      'mysql_slave_status_slave_io_running{host="web4"}': '1x20',
      'mysql_slave_status_slave_sql_running{host="web4"}': '1x20',
      'mysql_slave_status_seconds_behind_master{host="web4"}': '30x20',
      'up{job="mysql", replication="primary", host="web2"}': '1x20',
    },
    at: '9m',
    fires: [],
  },
  {
    what: 'ReplicationBehind fires for both servers',
    series: {
      'mysql_slave_status_seconds_behind_source{host="web3"}': '31x10',
      'mysql_slave_status_seconds_behind_master{host="web4"}': '31x10',
    },
    at: '3m',
    fires: [
      { alertname: 'ReplicationBehind', severity: 'warning', host: 'web3' },
      { alertname: 'ReplicationBehind', severity: 'warning', host: 'web4' },
    ],
  },
  {
    what: 'ReplicationUnknown fires for a replica that says nothing of replication',
    series: {
      'up{job="mysql", replication="replica", host="web3"}': '1x20',
      'up{job="mysql", replication="primary", host="web2"}': '1x20',
    },
    at: '5m',
    fires: [{ alertname: 'ReplicationUnknown', severity: 'critical', host: 'web3' }],
  },
];

const member = '{host="web2"}';

const databaseGroup: readonly RuleCase[] = [
  {
    what: 'GaleraMemberMissing fires for a cluster of two',
    series: {
      [`mysql_global_status_wsrep_cluster_size${member}`]: '2x10',
      [`mysql_global_status_wsrep_cluster_status${member}`]: '1x10',
    },
    at: '2m',
    fires: [{ alertname: 'GaleraMemberMissing', severity: 'warning', host: 'web2' }],
  },
  {
    what: 'GaleraCutOff fires for a member without a majority, beside the size',
    series: {
      [`mysql_global_status_wsrep_cluster_size${member}`]: '1x10',
      [`mysql_global_status_wsrep_cluster_status${member}`]: '0x10',
      [`mysql_global_status_wsrep_ready${member}`]: '0x10',
    },
    at: '5m',
    fires: [
      { alertname: 'GaleraMemberMissing', severity: 'warning', host: 'web2' },
      { alertname: 'GaleraCutOff', severity: 'critical', host: 'web2' },
    ],
  },
  {
    what: 'GaleraNotReady fires for a member that copies and does not come to an end',
    series: {
      [`mysql_global_status_wsrep_cluster_size${member}`]: '3x10',
      [`mysql_global_status_wsrep_cluster_status${member}`]: '1x10',
      [`mysql_global_status_wsrep_ready${member}`]: '0x10',
    },
    at: '4m',
    fires: [{ alertname: 'GaleraNotReady', severity: 'critical', host: 'web2' }],
  },
  {
    what: 'GaleraFlowControl fires where a member holds up the others a fifth of the time',
    series: { [`mysql_global_status_wsrep_flow_control_paused_ns${member}`]: '0+6000000000x20' },
    at: '9m',
    fires: [{ alertname: 'GaleraFlowControl', severity: 'warning', host: 'web2' }],
  },
  {
    what: 'no alert about a whole cluster, nor about a server without one',
    series: {
      [`mysql_global_status_wsrep_cluster_size${member}`]: '3x20',
      [`mysql_global_status_wsrep_cluster_status${member}`]: '1x20',
      [`mysql_global_status_wsrep_ready${member}`]: '1x20',
      [`mysql_global_status_wsrep_flow_control_paused_ns${member}`]: '0x20',
      'mysql_global_status_wsrep_cluster_size{host="web3"}': '0x20',
      'mysql_global_status_wsrep_cluster_status{host="web3"}': '0x20',
      'mysql_global_status_wsrep_ready{host="web3"}': '0x20',
    },
    at: '9m',
    fires: [],
  },
];

const publicExpiry = 'probe_ssl_earliest_cert_expiry{job="site", host="web1"}';
const atTwentyMinutes = (days: number): string => `${days * day + 20 * 60}x40`;

/** A certificate of the internal CA, of `days` of which so many are left after twenty minutes. */
const internal = (left: number, days: number, certificate = 'nginx'): RuleCase['series'] => ({
  [`hostwright_certificate_not_after_seconds{host="web2", certificate="${certificate}"}`]:
    atTwentyMinutes(left),
  [`hostwright_certificate_not_before_seconds{host="web2", certificate="${certificate}"}`]: atTwentyMinutes(
    left - days,
  ),
});
const fiveYears = 5 * 365;
const thirtyYears = 30 * 365;

const certificates: readonly RuleCase[] = [
  {
    what: 'CertificateExpires warns of the public certificate',
    series: { [publicExpiry]: atTwentyMinutes(9) },
    at: '20m',
    fires: [{ alertname: 'CertificateExpires', severity: 'warning', host: 'web1', certificate: 'public' }],
  },
  {
    what: 'CertificateExpires becomes critical in the last two days of the public certificate',
    series: { [publicExpiry]: atTwentyMinutes(1) },
    at: '20m',
    fires: [
      { alertname: 'CertificateExpires', severity: 'warning', host: 'web1', certificate: 'public' },
      { alertname: 'CertificateExpires', severity: 'critical', host: 'web1', certificate: 'public' },
    ],
  },
  {
    what: 'CertificateExpires warns a year before an internal certificate of five years runs out',
    series: internal(364, fiveYears),
    at: '20m',
    fires: [{ alertname: 'CertificateExpires', severity: 'warning', host: 'web2', certificate: 'nginx' }],
  },
  {
    what: 'CertificateExpires becomes critical three months before it runs out',
    series: internal(90, fiveYears),
    at: '20m',
    fires: [
      { alertname: 'CertificateExpires', severity: 'warning', host: 'web2', certificate: 'nginx' },
      { alertname: 'CertificateExpires', severity: 'critical', host: 'web2', certificate: 'nginx' },
    ],
  },
  {
    what: 'CertificateExpires goes on when it has run out',
    series: internal(-90, fiveYears),
    at: '20m',
    fires: [
      { alertname: 'CertificateExpires', severity: 'warning', host: 'web2', certificate: 'nginx' },
      { alertname: 'CertificateExpires', severity: 'critical', host: 'web2', certificate: 'nginx' },
    ],
  },
  {
    what: 'CertificateExpires warns of a short internal certificate that no run has renewed',
    series: internal(17, 90),
    at: '20m',
    fires: [{ alertname: 'CertificateExpires', severity: 'warning', host: 'web2', certificate: 'nginx' }],
  },
  {
    what: 'CertificateExpires does not fire while there is time, for a site whose runs are due too',
    series: {
      [publicExpiry]: atTwentyMinutes(11),
      ...internal(366, fiveYears),
      ...internal(19, 90, 'mysql'),
      ...internal(7 * 365, thirtyYears, 'ca'),
    },
    at: '20m',
    fires: [],
  },
  {
    what: 'AuthorityExpires warns six years before the internal CA runs out',
    series: internal(6 * 365 - 1, thirtyYears, 'ca'),
    at: '20m',
    fires: [{ alertname: 'AuthorityExpires', severity: 'warning', host: 'web2', certificate: 'ca' }],
  },
  {
    what: 'AuthorityExpires becomes critical a year and a half before',
    series: internal(500, thirtyYears, 'ca'),
    at: '20m',
    fires: [
      { alertname: 'AuthorityExpires', severity: 'warning', host: 'web2', certificate: 'ca' },
      { alertname: 'AuthorityExpires', severity: 'critical', host: 'web2', certificate: 'ca' },
    ],
  },
  {
    what: 'CertificatesUnknown fires for a host that says nothing of its certificates',
    interval: '5m',
    series: {
      'up{job="node", host="web1"}': '1x40',
      'up{job="node", host="web2"}': '1x40',
      'hostwright_certificate_not_after_seconds{host="web1", certificate="nginx"}': `${fiveYears * day}x40`,
      'hostwright_certificate_not_before_seconds{host="web1", certificate="nginx"}': '0x40',
    },
    at: '130m',
    fires: [{ alertname: 'CertificatesUnknown', severity: 'warning', host: 'web2' }],
  },
];

const hour = 3600;

/** A metric of backups of web3 at twenty minutes: what it says of that many seconds before. */
const before = (name: string, seconds: number): Readonly<Record<string, string>> => ({
  [`hostwright_backup_${name}{host="web3"}`]: atTwentyMinutes(-seconds / day),
});

const backups: readonly RuleCase[] = [
  {
    what: 'no alert of backups fires while all are fresh',
    series: {
      ...before('time_seconds', 25 * hour),
      ...before('test_time_seconds', 25 * hour),
      ...before('logs_time_seconds', 600),
      'hostwright_backup_test_success{host="web3"}': '1x60',
      'hostwright_backup_size_bytes{host="web3"}': '1000x20 600x20',
    },
    at: '20m',
    fires: [],
  },
  {
    what: 'BackupOld fires for a copy that is older than a day and two hours',
    series: before('time_seconds', 27 * hour),
    at: '20m',
    fires: [{ alertname: 'BackupOld', severity: 'critical', host: 'web3' }],
  },
  {
    what: 'BackupSmall fires for a copy of less than half of the size',
    series: { 'hostwright_backup_size_bytes{host="web3"}': '1000x10 400x40' },
    at: '20m',
    fires: [{ alertname: 'BackupSmall', severity: 'warning', host: 'web3' }],
  },
  {
    what: 'RestoreTestFailed fires',
    series: { 'hostwright_backup_test_success{host="web3"}': '0x60' },
    at: '20m',
    fires: [{ alertname: 'RestoreTestFailed', severity: 'critical', host: 'web3' }],
  },
  {
    what: 'RestoreTestOld fires when copies are made and not tested',
    series: { ...before('time_seconds', 2 * hour), ...before('test_time_seconds', 31 * hour) },
    at: '20m',
    fires: [{ alertname: 'RestoreTestOld', severity: 'warning', host: 'web3' }],
  },
  {
    what: 'BinaryLogsOld fires after a quarter of an hour',
    series: before('logs_time_seconds', 1000),
    at: '20m',
    fires: [{ alertname: 'BinaryLogsOld', severity: 'critical', host: 'web3' }],
  },
  {
    what: 'BackupUnknown fires for a database that says nothing of its backups, and for no other host',
    interval: '5m',
    series: {
      'up{job="node", host="web1"}': '1x20',
      'up{job="node", host="web2"}': '1x20',
      'up{job="node", host="web3"}': '1x20',
      ...Object.fromEntries(
        ['web1', 'web2', 'web3'].flatMap((host) => [
          [`hostwright_certificate_not_after_seconds{host="${host}", certificate="x"}`, `${10 * day}x20`],
          [`hostwright_certificate_not_before_seconds{host="${host}", certificate="x"}`, '0x20'],
        ]),
      ),
    },
    at: '45m',
    fires: [{ alertname: 'BackupUnknown', severity: 'warning', host: 'web3' }],
  },
];

const monitoring: readonly RuleCase[] = [
  {
    what: 'NotificationsFail fires when messages do not arrive',
    series: {
      'alertmanager_notifications_failed_total{integration="email"}': '0+1x30',
      'alertmanager_notifications_failed_total{integration="slack"}': '3x30',
    },
    at: '12m',
    fires: [{ alertname: 'NotificationsFail', severity: 'warning', integration: 'email' }],
  },
];

export const ruleCases: readonly RuleCase[] = [
  ...traffic,
  ...hosts,
  ...disks,
  ...site,
  ...database,
  ...databaseGroup,
  ...certificates,
  ...backups,
  ...monitoring,
];
