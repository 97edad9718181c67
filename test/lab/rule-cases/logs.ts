import type { RuleCase } from './rule-case.ts';

const answers = (code: string): string =>
  `haproxy_frontend_http_responses_total{host="web1", proxy="https", code="${code}"}`;

export const logs: readonly RuleCase[] = [
  {
    what: 'ErrorsServed fires when one answer in ten is an error',
    series: { [answers('2xx')]: '0+900x30', [answers('5xx')]: '0+100x30' },
    at: '10m',
    fires: [{ alertname: 'ErrorsServed', severity: 'critical' }],
  },
  {
    what: 'ErrorsServed does not fire for few errors, nor for a handful of a quiet site',
    series: { [answers('2xx')]: '0+900x30', [answers('5xx')]: '0+9x30' },
    at: '10m',
    fires: [],
  },
  {
    what: 'ErrorsServed does not fire for a handful of a quiet site',
    series: { [answers('2xx')]: '0x30', [answers('5xx')]: '0 1 1 2 2 3 3 3x30' },
    at: '4m',
    fires: [],
  },
  {
    what: 'LogErrors fires for many errors of one host',
    series: {
      'hostwright_journal_errors_total{host="web1"}': '0+10x30',
      'hostwright_journal_errors_total{host="web2"}': '7+1x30',
    },
    at: '12m',
    fires: [{ alertname: 'LogErrors', severity: 'warning', host: 'web1' }],
  },
  {
    what: 'LoginFailures adds up what fails on a host',
    series: {
      'hostwright_journal_login_failures_total{host="web1", program="ssh"}': '0+4x30',
      'hostwright_journal_login_failures_total{host="web1", program="sudo"}': '0+3x30',
      'hostwright_journal_login_failures_total{host="web2", program="ssh"}': '0+4x30',
    },
    at: '12m',
    fires: [{ alertname: 'LoginFailures', severity: 'warning', host: 'web1' }],
  },
  {
    what: 'LogLinesDropped fires at the first dropped lines',
    series: {
      'hostwright_journal_suppressed_total{host="web1"}': '0x4 1200x20',
      'hostwright_journal_suppressed_total{host="web2"}': '1200x30',
    },
    at: '6m',
    fires: [{ alertname: 'LogLinesDropped', severity: 'warning', host: 'web1' }],
  },
  {
    what: 'OutOfMemory fires when the kernel has killed a process',
    series: {
      'node_vmstat_oom_kill{host="web1"}': '2x4 3x20',
      'node_vmstat_oom_kill{host="web2"}': '2x30',
    },
    at: '6m',
    fires: [{ alertname: 'OutOfMemory', severity: 'critical', host: 'web1' }],
  },
  {
    what: 'LogCopyBehind fires for a host of which nothing new comes',
    series: {
      'hostwright_log_copy_newest_seconds{host="web1", sender="web2"}': '0x60',
      'hostwright_log_copy_newest_seconds{host="web1", sender="web3"}': '0+30x60',
    },
    at: '15m',
    fires: [{ alertname: 'LogCopyBehind', severity: 'warning', sender: 'web2' }],
  },
  {
    what: 'JournalNotCounted fires when the counts do not change any more',
    series: {
      'node_textfile_mtime_seconds{host="web1", file="/var/lib/prometheus/node-exporter/hostwright_journal.prom"}':
        '0x60',
      'node_textfile_mtime_seconds{host="web2", file="/var/lib/prometheus/node-exporter/hostwright_journal.prom"}':
        '0+30x60',
    },
    at: '20m',
    fires: [{ alertname: 'JournalNotCounted', severity: 'warning', host: 'web1' }],
  },
];
