import type { RuleCase } from './rule-case.ts';

/** What the exporter says of a server, over five minutes. */
const server = (host: string, readOnly: 0 | 1, more: Readonly<Record<string, number>> = {}) => ({
  [`mysql_global_variables_read_only{host="${host}"}`]: `${readOnly}x20`,
  [`mysql_global_variables_offline_mode{host="${host}"}`]: '0x20',
  ...Object.fromEntries(
    Object.entries(more).map(([name, value]) => [
      `mysql_global_status_${name}{host="${host}"}`,
      `${value}x20`,
    ]),
  ),
});

const replica = {
  'up{job="mysql", replication="replica", host="web3"}': '1x20',
  'mysql_slave_status_replica_io_running{host="web3"}': '1x20',
  'mysql_slave_status_replica_sql_running{host="web3"}': '1x20',
};

const waiting = (acknowledged: string): RuleCase['series'] => ({
  ...server('web2', 0, { rpl_semi_sync_source_status: 1, rpl_semi_sync_source_wait_sessions: 3 }),
  'mysql_global_status_rpl_semi_sync_source_yes_tx{host="web2"}': acknowledged,
});

export const databaseWriters: readonly RuleCase[] = [
  {
    what: 'no alert about a primary whose replica acknowledges, of either flavor',
    series: {
      ...server('web2', 0, { rpl_semi_sync_source_status: 1 }),
      ...server('web3', 1, { rpl_semi_sync_source_status: 0 }),
      ...replica,
    },
    at: '5m',
    fires: [],
  },
  {
    what: 'NoDatabaseWriter fires where all servers that answer are read-only',
    series: { ...server('web2', 1), ...server('web3', 1) },
    at: '2m',
    fires: [{ alertname: 'NoDatabaseWriter', severity: 'critical' }],
  },
  {
    what: 'NoDatabaseWriter fires where the only open server refuses all clients',
    series: {
      ...server('web2', 0),
      'mysql_global_variables_offline_mode{host="web2"}': '1x20',
      ...server('web3', 1),
    },
    at: '2m',
    fires: [{ alertname: 'NoDatabaseWriter', severity: 'critical' }],
  },
  {
    what: 'TwoDatabaseWriters fires where two servers are open',
    series: { ...server('web2', 0), ...server('web3', 0) },
    at: '3m',
    fires: [{ alertname: 'TwoDatabaseWriters', severity: 'critical' }],
  },
  {
    what: 'no alert about a switch, whose servers are read one after the other',
    series: {
      'mysql_global_variables_read_only{host="web2"}': '0x4 1x20',
      'mysql_global_variables_read_only{host="web3"}': '1x3 0x20',
    },
    at: '150s',
    fires: [],
  },
  {
    what: 'no alert about the members of a Galera cluster, which all accept writes',
    series: {
      ...server('web2', 0, { wsrep_cluster_size: 3, wsrep_cluster_status: 1, wsrep_ready: 1 }),
      ...server('web3', 0, { wsrep_cluster_size: 3, wsrep_cluster_status: 1, wsrep_ready: 1 }),
    },
    at: '5m',
    fires: [],
  },
  {
    what: 'CommitsUnconfirmed fires where no replica acknowledges, for MariaDB too',
    series: { ...server('web2', 0, { rpl_semi_sync_master_status: 0 }), ...server('web3', 1), ...replica },
    at: '3m',
    fires: [{ alertname: 'CommitsUnconfirmed', severity: 'warning', host: 'web2' }],
  },
  {
    what: 'CommitsUnconfirmed does not fire for a server without a replica',
    series: {
      ...server('web2', 0, { rpl_semi_sync_source_status: 0 }),
      'up{job="mysql", replication="primary", host="web2"}': '1x20',
    },
    at: '5m',
    fires: [],
  },
  {
    what: 'WritesWait fires where commits wait and none is acknowledged',
    series: waiting('50x20'),
    at: '4m',
    fires: [{ alertname: 'WritesWait', severity: 'critical', host: 'web2' }],
  },
  {
    what: 'WritesWait does not fire where others are acknowledged meanwhile',
    series: waiting('50+3x20'),
    at: '4m',
    fires: [],
  },
];
