import type { RuleCase } from './rule-case.ts';

const up = (host: string, is: string) => ({ [`up{job="node", host="${host}"}`]: is });
const has = (host: string, address: string, values = '1x20') => ({
  [`node_network_address_info{host="${host}", address="${address}", device="eth0"}`]: values,
});
const unit = (host: string, name: string, isActive: string) => ({
  [`node_systemd_unit_state{host="${host}", name="${name}.service", state="active"}`]: isActive,
});

/** Two balancers that answer, with addresses of their own, of which lb1 has the shared ones. */
const sound = {
  ...up('lb1', '1x20'),
  ...up('lb2', '1x20'),
  ...unit('lb1', 'keepalived', '1x20'),
  ...unit('lb2', 'keepalived', '1x20'),
  ...has('lb1', '10.0.0.1'),
  ...has('lb2', '10.0.0.2'),
};
const four = has('lb1', '203.0.113.10');
const six = has('lb1', '2001:db8::10');

export const balancers: readonly RuleCase[] = [
  {
    what: 'no alert about an address that one balancer has, in both families',
    series: { ...sound, ...four, ...six },
    at: '9m',
    fires: [],
  },
  {
    what: 'no alert about a takeover, whose balancers are read one after the other',
    series: {
      ...sound,
      ...six,
      ...has('lb1', '203.0.113.10', '1x8 stale'),
      ...has('lb2', '203.0.113.10', '_x7 1x12'),
    },
    at: '4m30s',
    fires: [],
  },
  {
    what: 'BalancerAddressMissing fires when no balancer that answers has the address, of one family or both',
    series: { ...sound, ...four },
    at: '3m',
    fires: [{ alertname: 'BalancerAddressMissing', severity: 'critical', address: '2001:db8::10' }],
  },
  {
    what: 'BalancerAddressMissing fires when the only one that is left does not take it',
    series: { ...sound, ...up('lb1', '0x20') },
    at: '50s',
    fires: [
      { alertname: 'BalancerAddressMissing', severity: 'critical', address: '203.0.113.10' },
      { alertname: 'BalancerAddressMissing', severity: 'critical', address: '2001:db8::10' },
    ],
  },
  {
    what: 'BalancerAddressTwice fires when another host has it too, which may be no balancer',
    series: { ...sound, ...four, ...six, ...has('web3', '203.0.113.10') },
    at: '3m',
    fires: [{ alertname: 'BalancerAddressTwice', severity: 'critical', address: '203.0.113.10' }],
  },
  {
    what: 'BalancerAddressUnknown fires when the exporter does not tell addresses',
    series: { ...up('lb1', '1x20'), ...up('lb2', '1x20'), ...four, ...six },
    at: '8m',
    fires: [{ alertname: 'BalancerAddressUnknown', severity: 'warning', host: 'lb2' }],
  },
  {
    what: 'BalancerUnfit fires when keepalived does not run',
    series: { ...sound, ...four, ...six, ...unit('lb2', 'keepalived', '0x20') },
    at: '4m',
    fires: [{ alertname: 'BalancerUnfit', severity: 'warning', host: 'lb2' }],
  },
  {
    what: 'BalancerLeft fires when a balancer has left for more than an hour',
    interval: '5m',
    series: { ...unit('lb2', 'hostwright-balancer-left', '1x20') },
    at: '70m',
    fires: [{ alertname: 'BalancerLeft', severity: 'warning', host: 'lb2' }],
  },
  {
    what: 'BalancerLeft does not fire for work of half an hour',
    interval: '5m',
    series: { ...unit('lb2', 'hostwright-balancer-left', '1x6 stale') },
    at: '40m',
    fires: [],
  },
];
