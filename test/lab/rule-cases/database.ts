import type { RuleCase } from './rule-case.ts';

export const database: readonly RuleCase[] = [
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
