import type { DatabaseDeclaration, ScrapeDeclaration, Site, SiteHost } from 'hostwright';

interface Target {
  readonly target: string;
  readonly labels: Readonly<Record<string, string>>;
}

function socketAddress({ address }: SiteHost, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The part that each database has in the replication, by the name of its host. */
function replication(site: Site): ReadonlyMap<string, string> {
  return new Map(
    site.declared<DatabaseDeclaration>('database').map((database) => [database.host.name, database.role]),
  );
}

/** Every endpoint that a role declares, by job. */
export function jobs(site: Site): readonly { readonly job: string; readonly targets: readonly Target[] }[] {
  const parts = replication(site);
  const byJob = new Map<string, Target[]>();
  for (const { job, port, path, host } of site.declared<ScrapeDeclaration>('scrape')) {
    const part = job === 'mysql' ? parts.get(host.name) : undefined;
    const labels = {
      host: host.name,
      ...(path === undefined ? {} : { __metrics_path__: path }),
      ...(part === undefined ? {} : { replication: part }),
    };
    byJob.set(job, [...(byJob.get(job) ?? []), { target: socketAddress(host, port), labels }]);
  }
  return [...byJob].map(([job, targets]) => ({ job, targets }));
}

/** The site as each balancer serves it. */
export function probes(balancers: readonly SiteHost[]): readonly Target[] {
  return balancers.map((host) => ({
    target: `https://${socketAddress(host, 443)}/`,
    labels: { host: host.name },
  }));
}
