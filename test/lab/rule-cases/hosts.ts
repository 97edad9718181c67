import type { RuleCase } from './rule-case.ts';

export const hosts: readonly RuleCase[] = [
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

export const disks: readonly RuleCase[] = [
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
