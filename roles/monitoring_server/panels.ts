import type { Dashboard, Figure, Panel, Section } from './panel.ts';

/** What a site has, and what its alerts begin at: where the panels take their thresholds from. */
export interface Measured {
  readonly site: string;
  readonly interval: number;
  readonly days: number;
  readonly hosts: readonly string[];
  /** A regular expression of the frontends of HAProxy whose requests are those of the site. */
  readonly frontends: string;
  readonly has: {
    readonly balancers: boolean;
    readonly databases: boolean;
    readonly replicas: boolean;
    /** A public certificate that is asked for. */
    readonly domain: boolean;
  };
  readonly qpsThreshold: number;
  readonly replicationLag: number;
  readonly diskPercent: number;
  readonly certificateDays: number;
}

/** What is a part of all: 0 to 100. */
const part = { unit: 'percent', top: 100 } as const;

/** Answers of the site by status, as the balancers count them, or the web servers where there are none. */
function answers({ has, frontends }: Measured, code: string, window: string): string {
  return has.balancers
    ? `sum(rate(haproxy_frontend_http_responses_total{proxy=~"${frontends}",code=~"${code}"}[${window}]))`
    : `sum(rate(hostwright_http_request_duration_seconds_count{status=~"${code}"}[${window}]))`;
}

/** PromQL of the part of the answers that are errors of the site; 0 where nobody asks. */
function errors(measured: Measured, window: string): string {
  const all = answers(measured, '.+', window);
  return `100 * (${answers(measured, '5xx', window)} or vector(0)) / clamp_min(${all}, 0.001)`;
}

function percentile(of: number, window: string, by = ''): string {
  const series = `hostwright_http_request_duration_seconds_bucket[${window}]`;
  return `histogram_quantile(${of}, sum by (le${by}) (rate(${series})))`;
}

const noRequests = 'Nobody has asked for anything in this time.';
const noHost = 'The exporters of the hosts do not answer: see Targets down, and Hosts up.';
const noDatabase = 'The exporters of the databases do not answer (prometheus-mysqld-exporter).';
const noBalancer = 'HAProxy does not answer the monitoring server on port 8404.';
const noWebServer = 'The exporters of the web servers do not answer.';
const noPublic = 'The blackbox exporter gets no answer from the balancers on port 443.';

const disk =
  '100 * node_filesystem_avail_bytes / (node_filesystem_size_bytes > 0) and node_filesystem_readonly == 0';
const publicDays = '(probe_ssl_earliest_cert_expiry{job="site"} - time()) / 86400';
const internalDays = '(hostwright_certificate_not_after_seconds - time()) / 86400';

function site(measured: Measured): Section {
  const perSecond = answers(measured, '.+', '$window');
  const answered = (code: string) => ({ expr: answers(measured, code, '$window'), legend: code });
  const requests: Panel = {
    id: 'qps',
    title: 'Requests',
    unit: 'requests',
    queries: [
      {
        expr: measured.has.balancers
          ? `sum(rate(haproxy_frontend_http_requests_total{proxy=~"${measured.frontends}"}[$window]))`
          : perSecond,
        legend: 'all',
      },
    ],
    threshold: { at: measured.qpsThreshold, bad: 'above', severity: 'warning' },
    means: 'Requests of visitors in a second (QPS). A sudden fall is as bad as a rush.',
    without: measured.has.balancers ? noBalancer : noWebServer,
  };
  return {
    title: 'Site',
    panels: [
      requests,
      {
        id: 'errors',
        title: 'Errors',
        unit: 'percent',
        queries: [{ expr: errors(measured, '$window'), legend: '5xx' }],
        threshold: { at: 1, bad: 'above', severity: 'critical' },
        means:
          'Answers with a status of 500 and more, as a part of all: faults of the site, not of visitors.',
        without: noRequests,
      },
      {
        id: 'latency',
        title: 'Time to answer',
        unit: 'seconds',
        queries: [
          { expr: percentile(0.5, '$window'), legend: 'half within' },
          { expr: percentile(0.95, '$window'), legend: '95 % within' },
          { expr: percentile(0.99, '$window'), legend: '99 % within' },
        ],
        threshold: { at: 1, bad: 'above', severity: 'warning' },
        means:
          'Percentiles of all requests, from the access logs of the web servers. Long ones wait for the application, mostly.',
        without: noRequests,
      },
      {
        id: 'answers',
        title: 'Answers by status',
        unit: 'requests',
        queries: [answered('2xx'), answered('3xx'), answered('4xx'), answered('5xx')],
        means:
          '2xx are pages, 3xx lead elsewhere, 4xx are mistakes of visitors or scanners, 5xx faults of the site.',
        without: noRequests,
      },
    ],
  };
}

function balancers(): Section {
  return {
    title: 'Balancers',
    panels: [
      {
        id: 'balancer-requests',
        title: 'Requests by balancer',
        unit: 'requests',
        queries: [
          { expr: 'sum by (host) (rate(haproxy_frontend_http_requests_total[$window]))', legend: '{host}' },
        ],
        means: 'All frontends: also what is sent on to https.',
        without: noBalancer,
      },
      {
        id: 'servers',
        title: 'Web servers in use',
        unit: 'count',
        queries: [
          { expr: 'sum by (host) (haproxy_server_status{proxy="web",state="UP"})', legend: 'seen by {host}' },
        ],
        threshold: { at: 1, bad: 'below', severity: 'critical' },
        means: 'Web servers that pass the health check. One that is taken out for a change does not count.',
        without: noBalancer,
      },
      {
        id: 'balancer-sessions',
        title: 'Open connections',
        unit: 'count',
        queries: [{ expr: 'sum by (host) (haproxy_frontend_current_sessions)', legend: '{host}' }],
        means: 'Of visitors. It rises when answers get slow.',
        without: noBalancer,
      },
      {
        id: 'balancer-time',
        title: 'Mean time of web servers',
        unit: 'seconds',
        queries: [
          {
            expr: 'max by (server) (haproxy_server_response_time_average_seconds{proxy="web"})',
            legend: '{server}',
          },
        ],
        means: 'Mean of the last 1,024 requests, as HAProxy counts: it shows which web server is slow.',
        without: noBalancer,
      },
    ],
  };
}

function webServers(): Section {
  return {
    title: 'Web servers',
    panels: [
      {
        id: 'web-requests',
        title: 'Requests by web server',
        unit: 'requests',
        queries: [{ expr: 'avg_over_time(host:http_requests:qps[$window])', legend: '{host}' }],
        means:
          'With health checks. They should be alike: one that stands out has another load, or is out of service.',
        without: noWebServer,
      },
      {
        id: 'web-time',
        title: '95 % of answers within',
        unit: 'seconds',
        queries: [{ expr: percentile(0.95, '$window', ', host'), legend: '{host}' }],
        threshold: { at: 1, bad: 'above', severity: 'warning' },
        means: 'From the access log of each web server.',
        without: noRequests,
      },
      {
        id: 'web-errors',
        title: 'Errors by web server',
        unit: 'requests',
        queries: [
          {
            expr: 'sum by (host) (rate(hostwright_http_request_duration_seconds_count{status="5xx"}[$window]))',
            legend: '{host}',
          },
        ],
        means:
          'Answers with 500 and more in a second. On one host alone: its application. On all: what they share.',
        without: 'No web server has answered with 500 or more since its counts began.',
      },
    ],
  };
}

function databases(measured: Measured): Section {
  const lag: Panel = {
    id: 'lag',
    title: 'Replication lag',
    unit: 'seconds',
    queries: [{ expr: 'max by (host) (mysql:replica_lag_seconds)', legend: '{host}' }],
    threshold: { at: measured.replicationLag, bad: 'above', severity: 'warning' },
    means: 'How far a replica is behind. It is lost if the primary dies now.',
    without: 'No replica reports how far it is behind: replication is stopped, or not set up.',
  };
  return {
    title: 'Databases',
    panels: [
      {
        id: 'queries',
        title: 'Statements',
        unit: 'queries',
        queries: [{ expr: 'sum by (host) (rate(mysql_global_status_questions[$window]))', legend: '{host}' }],
        means: 'Statements of clients in a second.',
        without: noDatabase,
      },
      ...(measured.has.replicas ? [lag] : []),
      {
        ...part,
        id: 'connections',
        title: 'Connections in use',
        queries: [
          {
            expr: '100 * max by (host) (mysql_global_status_threads_connected / mysql_global_variables_max_connections)',
            legend: '{host}',
          },
        ],
        threshold: { at: 90, bad: 'above', severity: 'critical' },
        means: 'Of those that the server allows. At 100 the application is refused.',
        without: noDatabase,
      },
      {
        id: 'running',
        title: 'Statements at work',
        unit: 'count',
        queries: [{ expr: 'max by (host) (mysql_global_status_threads_running)', legend: '{host}' }],
        means: 'At the same moment. Many that stay: they wait for locks, or for the disk.',
        without: noDatabase,
      },
    ],
  };
}

function machines(measured: Measured): Section {
  return {
    title: 'Hosts',
    panels: [
      {
        ...part,
        id: 'cpu',
        title: 'Processor',
        queries: [
          {
            expr: '100 * (1 - avg by (host) (rate(node_cpu_seconds_total{mode="idle"}[$window])))',
            legend: '{host}',
          },
        ],
        threshold: { at: 95, bad: 'above', severity: 'warning' },
        means: 'Part of all processors of the host that is in use.',
        without: noHost,
      },
      {
        ...part,
        id: 'memory',
        title: 'Memory left',
        queries: [
          {
            expr: '100 * max by (host) (node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)',
            legend: '{host}',
          },
        ],
        threshold: { at: 5, bad: 'below', severity: 'critical' },
        means: 'What programs can still get. Near 0 the kernel ends one of them, often the database.',
        without: noHost,
      },
      {
        ...part,
        id: 'disk',
        title: 'Disk left',
        queries: [{ expr: `min by (host, mountpoint) (${disk})`, legend: '{host} {mountpoint}' }],
        threshold: { at: measured.diskPercent, bad: 'below', severity: 'critical' },
        means: 'Of each file system. A full one stops the database and every log.',
        without: noHost,
      },
      {
        ...part,
        id: 'disk-busy',
        title: 'Disk busy',
        queries: [
          { expr: '100 * max by (host) (rate(node_disk_io_time_seconds_total[$window]))', legend: '{host}' },
        ],
        means: 'Part of the time in which the busiest disk had something to do.',
        without: 'The hosts report no disks, as in a container.',
      },
      {
        id: 'network',
        title: 'Network',
        unit: 'bytes',
        queries: [
          {
            expr: 'sum by (host) (rate(node_network_receive_bytes_total{device!="lo"}[$window]))',
            legend: '{host} in',
          },
          {
            expr: 'sum by (host) (rate(node_network_transmit_bytes_total{device!="lo"}[$window]))',
            legend: '{host} out',
          },
        ],
        means: 'Bytes in a second, over all cards but the loopback.',
        without: noHost,
      },
      {
        id: 'targets',
        title: 'Targets down',
        unit: 'count',
        queries: [{ expr: 'count by (job) (up == 0) or 0 * count by (job) (up)', legend: '{job}' }],
        threshold: { at: 1, bad: 'above', severity: 'warning' },
        means: 'Exporters that do not answer: nobody watches these parts now.',
        without: 'Prometheus has no targets.',
      },
    ],
  };
}

function certificates(measured: Measured): Section {
  const visitors: Panel = {
    id: 'certificate',
    title: 'Public certificate',
    unit: 'days',
    queries: [{ expr: `min by (host) (${publicDays})`, legend: 'served by {host}' }],
    threshold: { at: measured.certificateDays, bad: 'below', severity: 'warning' },
    means: 'Days that the certificate is good for which visitors get. The host renews it by itself.',
    without: noPublic,
  };
  return {
    title: 'Certificates',
    panels: [
      ...(measured.has.domain ? [visitors] : []),
      {
        id: 'internal-certificates',
        title: 'Internal certificates',
        unit: 'days',
        queries: [{ expr: `min by (host) (${internalDays})`, legend: '{host}' }],
        means: 'Days that the first one of each host is good for. Every apply renews what is due.',
        without: 'The hosts have not reported their certificates yet: they do every hour.',
      },
    ],
  };
}

function figures(measured: Measured): readonly Figure[] {
  const { has, interval } = measured;
  // Of the last two readings: what is going on now. Graphs show longer means.
  const now = `${3 * interval}s`;
  const qps = has.balancers
    ? `sum(irate(haproxy_frontend_http_requests_total{proxy=~"${measured.frontends}"}[${now}]))`
    : 'sum(irate(hostwright_http_request_duration_seconds_count[60s]))';
  const panels = sections(measured).flatMap((section) => section.panels);
  const figure = (
    panel: string,
    own: Pick<Figure, 'title' | 'expr'> & Partial<Figure>,
  ): Figure | undefined => {
    const shown = panels.find(({ id }) => id === panel);
    if (shown === undefined) return undefined;
    const { queries: _queries, ...rest } = shown;
    return { ...rest, panel, ...own };
  };
  const found = [
    figure('qps', { title: 'Requests per second', expr: qps }),
    figure('errors', { title: 'Errors (5xx)', expr: errors(measured, `${Math.max(60, 6 * interval)}s`) }),
    figure('latency', { title: '95 % answered in', expr: percentile(0.95, '2m') }),
    figure('servers', {
      title: 'Web servers in use',
      expr: 'min(sum by (host) (haproxy_server_status{proxy="web",state="UP"}))',
      of: 'max(count by (host) (haproxy_server_status{proxy="web",state="UP"}))',
    }),
    figure('lag', { title: 'Replication lag', expr: 'max(mysql:replica_lag_seconds)' }),
    figure('disk', { title: 'Least disk left', expr: `min(${disk})` }),
    figure('certificate', { title: 'Certificate good for', expr: `min(${publicDays})` }),
    figure('targets', { title: 'Targets down', expr: 'count(up == 0) or vector(0)' }),
  ];
  return found.filter((one) => one !== undefined);
}

function sections(measured: Measured): readonly Section[] {
  const { has } = measured;
  return [
    site(measured),
    webServers(),
    ...(has.balancers ? [balancers()] : []),
    ...(has.databases ? [databases(measured)] : []),
    machines(measured),
    certificates(measured),
  ];
}

/** What the page shows of a site. */
export function dashboard(measured: Measured): Dashboard {
  const { site, interval, days, hosts } = measured;
  return { site, interval, days, hosts, figures: figures(measured), sections: sections(measured) };
}
