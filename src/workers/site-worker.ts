import type { SiteModel } from '../site/model.ts';
import { hostServing } from '../site/serving.ts';
import { hostObservations, hostRanks, hostResources } from '../site/second-pass.ts';
import type { Connect, Target } from '../transport/transport.ts';
import { localWorker, type LocalOptions } from './local.ts';
import type { Worker } from './worker.ts';

export interface SiteWorkerOptions extends Pick<LocalOptions, 'settings' | 'report'> {
  readonly site: SiteModel;
  readonly targets: ReadonlyMap<string, Target>;
  readonly connect: Connect;
}

/** Works on the hosts of a site in this very process. */
export function siteWorker({ site, targets, connect, settings, report }: SiteWorkerOptions): Worker {
  const { becomePassword } = settings;
  return localWorker({
    settings,
    report,
    connect: async (host) => {
      const target = targets.get(host);
      if (target === undefined) throw new Error(`no target for ${host}`);
      return await connect({ ...target, ...(becomePassword && { becomePassword }) });
    },
    resources: (host, facts, read) => hostResources(site, host, facts, read),
    ranks: (host, facts, read) => hostRanks(site, host, facts, read),
    observations: (host) => hostObservations(site, host),
    serving: (host) => hostServing(site, host),
    address: (host) => site.hosts.get(host)?.address,
  });
}
