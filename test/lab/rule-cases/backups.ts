import type { RuleCase } from './rule-case.ts';
import { atTwentyMinutes, day, hour } from './time.ts';

/** A metric of backups of web3 at twenty minutes: what it says of that many seconds before. */
const before = (name: string, seconds: number): Readonly<Record<string, string>> => ({
  [`hostwright_backup_${name}{host="web3"}`]: atTwentyMinutes(-seconds / day),
});

export const backups: readonly RuleCase[] = [
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
