/** What a site of three hosts reports: invented, and the same in every run. Values are functions of seconds. */
interface Metric {
  readonly name: string;
  readonly labels: string;
  readonly at: (seconds: number) => number;
}

const hosts = ['web1', 'web2', 'web3'] as const;
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** A wave between -1 and 1 that does not look like one. */
function wave(seconds: number, seed: number): number {
  const at = seconds / 60 + seed * 17;
  return (Math.sin(at / 7) + Math.sin(at / 2.3 + seed) / 2 + Math.sin(at * 1.7) / 4) / 1.75;
}

/** The whole of a rate that goes up and down around `mean`, so that it is a counter. */
function counted(mean: number, seed: number, depth = 0.25): (seconds: number) => number {
  const swing = (seconds: number): number => -Math.cos((seconds / 60 + seed * 17) / 7) * 7 * 60;
  return (seconds) => mean * (seconds + depth * (swing(seconds) - swing(0)));
}

function metric(name: string, labels: string, at: Metric['at']): Metric {
  return { name, labels, at };
}

function webServer(host: string, seed: number): readonly Metric[] {
  const qps = counted(46 + 4 * seed, seed);
  const slowness = 0.018 + 0.004 * seed;
  const labels = `host="${host}",job="node"`;
  return [
    metric('nginx_http_requests_total', `host="${host}",job="nginx"`, qps),
    ...[...buckets, Number.POSITIVE_INFINITY].map((le) =>
      metric(
        'hostwright_http_request_duration_seconds_bucket',
        `${labels},status="2xx",le="${le === Number.POSITIVE_INFINITY ? '+Inf' : le}"`,
        (seconds) => qps(seconds) * (1 - Math.exp(-le / slowness)),
      ),
    ),
    metric('hostwright_http_request_duration_seconds_count', `${labels},status="2xx"`, qps),
    metric('hostwright_http_request_duration_seconds_count', `${labels},status="5xx"`, counted(0.05, seed)),
    metric(
      'haproxy_server_status',
      `host="web1",job="haproxy",proxy="web",server="${host}",state="UP"`,
      () => 1,
    ),
    metric(
      'haproxy_server_response_time_average_seconds',
      `host="web1",job="haproxy",proxy="web",server="${host}"`,
      (seconds) => slowness * (1 + 0.2 * wave(seconds, seed)),
    ),
  ];
}

function host(name: string, seed: number): readonly Metric[] {
  const labels = `host="${name}",job="node"`;
  const busy = counted(0.16 + 0.07 * seed, seed, 0.4);
  return [
    metric('node_cpu_seconds_total', `${labels},cpu="0",mode="idle"`, (seconds) => seconds - busy(seconds)),
    metric('node_memory_MemTotal_bytes', labels, () => 4e9),
    metric('node_memory_MemAvailable_bytes', labels, (seconds) => 2.4e9 + 2e8 * wave(seconds, seed)),
    metric('node_filesystem_size_bytes', `${labels},mountpoint="/"`, () => 40e9),
    metric(
      'node_filesystem_avail_bytes',
      `${labels},mountpoint="/"`,
      (seconds) => 27e9 - seed * 2e9 - seconds * 2e4,
    ),
    metric('node_filesystem_readonly', `${labels},mountpoint="/"`, () => 0),
    metric(
      'node_disk_io_time_seconds_total',
      `${labels},device="vda"`,
      counted(0.04 + 0.03 * seed, seed, 0.5),
    ),
    metric('node_network_receive_bytes_total', `${labels},device="eth0"`, counted(4e5, seed)),
    metric('node_network_transmit_bytes_total', `${labels},device="eth0"`, counted(1.1e6, seed)),
  ];
}

function database(name: string, seed: number): readonly Metric[] {
  const labels = `host="${name}",job="mysql"`;
  return [
    metric('mysql_global_status_questions', labels, counted(310 / seed, seed)),
    metric('mysql_global_status_threads_connected', labels, (seconds) =>
      Math.round(40 + 8 * wave(seconds, seed)),
    ),
    metric('mysql_global_variables_max_connections', labels, () => 151),
    metric('mysql_global_status_threads_running', labels, (seconds) =>
      Math.round(4 + 2 * wave(seconds, seed)),
    ),
  ];
}

const replica = 'host="web3",job="mysql",channel_name=""';

const haproxy = 'host="web1",job="haproxy",proxy="https"';

const metrics: readonly Metric[] = [
  metric('haproxy_frontend_http_requests_total', haproxy, counted(150, 1)),
  ...Object.entries({ '2xx': 138, '3xx': 7, '4xx': 4.8, '5xx': 0.15 }).map(([code, mean]) =>
    metric('haproxy_frontend_http_responses_total', `${haproxy},code="${code}"`, counted(mean, 1)),
  ),
  metric('haproxy_frontend_current_sessions', haproxy, (seconds) => Math.round(60 + 12 * wave(seconds, 2))),
  ...hosts.flatMap((name, index) => [...webServer(name, index), ...host(name, index)]),
  ...database('web2', 1),
  ...database('web3', 2),
  metric('mysql_slave_status_seconds_behind_source', replica, (seconds) => Math.max(0, wave(seconds, 5))),
  metric('mysql_slave_status_replica_io_running', replica, () => 1),
  metric('mysql_slave_status_replica_sql_running', replica, () => 1),
  metric('mysql_global_variables_read_only', 'host="web2",job="mysql"', () => 0),
  metric('mysql_global_variables_read_only', 'host="web3",job="mysql"', () => 1),
  metric('up', 'host="web1",job="haproxy"', () => 1),
  ...hosts.flatMap((name) =>
    ['node', 'nginx'].map((job) => metric('up', `host="${name}",job="${job}"`, () => 1)),
  ),
];

/** When certificates begin and end. */
const certificates = (now: number): readonly Metric[] => [
  ...hosts.flatMap((name) => {
    const labels = `host="${name}",job="node",certificate="nginx"`;
    return [
      metric('hostwright_certificate_not_before_seconds', labels, () => now - 36 * 86_400),
      metric('hostwright_certificate_not_after_seconds', labels, () => now + 1789 * 86_400),
    ];
  }),
  metric('probe_ssl_earliest_cert_expiry', 'host="web1",job="site"', () => now + 62.5 * 86_400),
];

/** What Prometheus has made of it by its own rules, in the past. */
const recorded: readonly Metric[] = [
  ...hosts.map((name, index) =>
    metric(
      'host:http_requests:qps',
      `host="${name}"`,
      (seconds) => 46 + 4 * index + 6 * wave(seconds, index),
    ),
  ),
  metric('mysql:replica_lag_seconds', replica, (seconds) => Math.max(0, wave(seconds, 5))),
];

/** Which of the values are other ones, by the beginning of the series: what a test has broken. */
export type Broken = Readonly<Record<string, number>>;

function valueOf({ name, labels, at }: Metric, seconds: number, broken: Broken): number {
  const [, value] = Object.entries(broken).find(([start]) => `${name}{${labels}}`.startsWith(start)) ?? [];
  return value ?? at(seconds);
}

/**
 * OpenMetrics of the time from `start` to `end` (Unix times), for `promtool tsdb create-blocks-from openmetrics`.
 * Without types, which would have to come once for each name.
 */
export function history(start: number, end: number, step: number): string {
  const lines = [...metrics, ...recorded, ...certificates(end)].flatMap(({ name, labels, at }) =>
    Array.from({ length: Math.floor((end - start) / step) + 1 }, (_none, index) => {
      const seconds = index * step;
      return `${name}{${labels}} ${at(seconds)} ${start + seconds}`;
    }),
  );
  return `${lines.join('\n')}\n# EOF\n`;
}

/** What an exporter answers now, as the history goes on that has begun at `start`. */
export function current(start: number, now: number, broken: Broken): string {
  const lines = [...metrics, ...certificates(now)].map(
    (one) => `${one.name}{${one.labels}} ${valueOf(one, now - start, broken)}`,
  );
  return `${lines.join('\n')}\n`;
}
