import {
  file,
  type DashboardPageDeclaration,
  type DatabaseDeclaration,
  type Resource,
  type RoleContext,
  type ScrapeDeclaration,
} from 'hostwright';
import { front, pagesFolder } from '../dashboard/front.ts';
import { dashboard, type Measured } from './panels.ts';
import type { Variables } from './variables.ts';

const prometheus = 'http://127.0.0.1:9090';
const alertmanager = 'http://127.0.0.1:9093';

/** What of Prometheus and Alertmanager the page reads; nothing else of them can be reached through it. */
export const dashboardPage: DashboardPageDeclaration = {
  kind: 'dashboard_page',
  name: 'dashboard',
  title: 'Dashboard',
  passes: [
    ...['query', 'query_range', 'alerts'].map((name) => ({
      path: `/prometheus/api/v1/${name}`,
      to: `${prometheus}/api/v1/${name}`,
    })),
    { path: '/alertmanager/api/v2/alerts', to: `${alertmanager}/api/v2/alerts` },
  ],
};

function measured({ vars, site }: Pick<RoleContext<Variables>, 'vars' | 'site'>): Measured {
  const databases = site.declared<DatabaseDeclaration>('database');
  const balancers = site.declared<ScrapeDeclaration>('scrape').some(({ job }) => job === 'haproxy');
  return {
    site: vars.domain ?? 'Site',
    interval: vars.monitoring_scrape_seconds,
    days: vars.monitoring_retention_days,
    hosts: site.hosts('all').map(({ name }) => name),
    frontends: vars.monitoring_site_frontend,
    has: {
      balancers,
      databases: databases.length > 0,
      replicas: databases.some(({ role }) => role === 'replica'),
      domain: balancers && vars.domain !== undefined,
    },
    qpsThreshold: vars.monitoring_qps_threshold,
    replicationLag: vars.monitoring_replication_lag_seconds,
    diskPercent: vars.monitoring_disk_percent,
    certificateDays: vars.monitoring_certificate_days,
  };
}

export function dashboardResources(context: RoleContext<Variables>): readonly Resource[] {
  if (!context.vars.monitoring_dashboard) return [];
  return [
    file(`${pagesFolder}/panels.json`, {
      content: `${JSON.stringify(dashboard(measured(context)), null, 1)}\n`,
    }),
    ...front(context),
  ];
}
