import type { RuleCase } from './rule-case.ts';

const requests = 'haproxy_frontend_http_requests_total{proxy="https", host="web1"}';

export const traffic: readonly RuleCase[] = [
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
    what: 'QpsHigh counts each request of different web servers once',
    interval: '5s',
    series: {
      'nginx_http_requests_total{host="web1", job="nginx"}': '0+1670x60',
      'apache_accesses_total{host="web2", job="apache"}': '0+1670x60',
      'caddy_http_requests_total{host="web3", job="caddy", handler="reverse_proxy"}': '0+1670x60',
    },
    at: '3m',
    fires: [{ alertname: 'QpsHigh', severity: 'warning' }],
  },
  {
    what: 'QpsHigh does not count a request again for each handler of Caddy',
    interval: '5s',
    series: {
      'caddy_http_requests_total{host="web3", job="caddy", handler="reverse_proxy"}': '0+3000x60',
      'caddy_http_requests_total{host="web3", job="caddy", handler="headers"}': '0+3000x60',
    },
    at: '3m',
    fires: [],
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
