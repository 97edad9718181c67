import type { RuleCase } from './rule-case.ts';

const member = '{host="web2"}';

export const databaseGroup: readonly RuleCase[] = [
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
