import type { ScrapeDeclaration, Site } from 'hostwright';

/** What the metrics of a web server are called, and what to do when they say that it is down. */
interface WebServerMetrics {
  /** Of the server, and of its job. */
  readonly name: string;
  /** Requests since its start, each counted once. */
  readonly requests: string;
  /** Where an exporter reads them: what tells that it gets no answer. */
  readonly exporter?: {
    readonly up: string;
    readonly reads: string;
    readonly unit: string;
    /** Checks the configuration of the web server. */
    readonly check: string;
  };
}

const nginx: WebServerMetrics = {
  name: 'nginx',
  requests: 'nginx_http_requests_total',
  exporter: { up: 'nginx_up', reads: 'stub_status', unit: 'nginx', check: 'nginx -t' },
};

const all: readonly WebServerMetrics[] = [
  nginx,
  {
    name: 'apache',
    requests: 'apache_accesses_total',
    exporter: {
      ...{ up: 'apache_up', reads: 'server-status' },
      ...{ unit: 'apache2', check: 'apache2ctl configtest' },
    },
  },
  {
    name: 'caddy',
    // A request counts once for each handler that it passes through.
    requests: 'caddy_http_requests_total{handler="reverse_proxy"}',
  },
];

/** The web servers that the site has; nginx, where nobody says. */
export function webServersOf(site: Pick<Site, 'declared'>) {
  const jobs = new Set(site.declared<ScrapeDeclaration>('scrape').map(({ job }) => job));
  const found = all.filter(({ name }) => jobs.has(name));
  const webServers = found.length === 0 ? [nginx] : found;
  return {
    requestCounts: webServers.map(({ requests }) => requests),
    webServerNames: webServers.map(({ name }) => name).join(' and '),
    webServerExporters: webServers.flatMap(({ name, exporter }) =>
      exporter === undefined ? [] : [{ name, ...exporter }],
    ),
  };
}
