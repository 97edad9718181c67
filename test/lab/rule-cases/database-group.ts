import type { RuleCase } from './rule-case.ts';

const member = '{host="web2"}';

/** What the exporter says of the members of a group of MySQL, as web2 sees them, over five minutes. */
const sees = (states: Readonly<Record<string, string>>): RuleCase['series'] =>
  Object.fromEntries(
    Object.entries(states).map(([name, state]) => [
      `mysql_perf_schema_replication_group_member_info{host="web2", member_host="${name}", member_state="${state}"}`,
      '1x20',
    ]),
  );

export const databaseGroup: readonly RuleCase[] = [
  {
    what: 'no alert about a whole group of MySQL, whose channels stand still',
    series: {
      ...sees({ web2: 'ONLINE', web3: 'ONLINE', web4: 'ONLINE' }),
      'up{job="mysql", replication="replica", host="web2"}': '1x20',
      'mysql_slave_status_replica_io_running{host="web2", channel_name="group_replication_recovery"}': '0x20',
      'mysql_slave_status_replica_sql_running{host="web2", channel_name="group_replication_recovery"}':
        '0x20',
    },
    at: '5m',
    fires: [],
  },
  {
    what: 'GroupMemberMissing fires for a group of MySQL with two members',
    series: sees({ web2: 'ONLINE', web3: 'ONLINE' }),
    at: '3m',
    fires: [{ alertname: 'GroupMemberMissing', severity: 'warning' }],
  },
  {
    what: 'GroupCutOff fires for a member of a group of MySQL without a majority',
    series: sees({ web2: 'ONLINE', web3: 'UNREACHABLE', web4: 'UNREACHABLE' }),
    at: '3m',
    fires: [
      { alertname: 'GroupMemberMissing', severity: 'warning' },
      { alertname: 'GroupCutOff', severity: 'warning', host: 'web2' },
    ],
  },
  {
    what: 'GroupCutOff does not fire while a member recovers, which has a vote',
    series: sees({ web2: 'ONLINE', web3: 'RECOVERING' }),
    at: '3m',
    fires: [{ alertname: 'GroupMemberMissing', severity: 'warning' }],
  },
  {
    what: 'GroupCutOff fires for a server of MySQL outside of its group',
    series: sees({ web2: 'OFFLINE' }),
    at: '3m',
    fires: [
      { alertname: 'GroupMemberMissing', severity: 'warning' },
      { alertname: 'GroupCutOff', severity: 'warning', host: 'web2' },
    ],
  },
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
