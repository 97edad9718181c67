import type { RuleCase } from './rule-case.ts';

const status = (server: string, state: string, balancer = 'web1'): string =>
  `haproxy_server_status{host="${balancer}", proxy="web", server="${server}", state="${state}"}`;

export const site: readonly RuleCase[] = [
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
    what: 'WebServerDown fires when the exporter runs and Apache does not',
    series: { 'apache_up{host="web2"}': '0x10', 'apache_up{host="web1"}': '1x10' },
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
