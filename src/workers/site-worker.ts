import type { DeclaredResource } from '../resources/resource.ts';
import type { ResourceId } from '../resources/state.ts';
import type { SiteModel } from '../site/model.ts';
import { hostResources } from '../site/second-pass.ts';
import type { Connect, Target } from '../transport/transport.ts';
import { localWorker, type LocalOptions } from './local.ts';
import type { Worker } from './worker.ts';

export interface SiteWorkerOptions extends Pick<LocalOptions, 'settings' | 'report'> {
  readonly site: SiteModel;
  readonly targets: ReadonlyMap<string, Target>;
  readonly connect: Connect;
}

/** What these roles declare, without what it needs of others. */
function declaredBy(
  roles: readonly string[],
  resources: readonly DeclaredResource[],
): readonly DeclaredResource[] {
  const kept = resources.filter((resource) => roles.includes(resource.role));
  const ids = new Set<ResourceId>(kept.map((resource) => resource.id));
  return kept.map((resource) => ({ ...resource, needs: resource.needs.filter((id) => ids.has(id)) }));
}

/** Works on the hosts of a site in this very process. */
export function siteWorker({ site, targets, connect, settings, report }: SiteWorkerOptions): Worker {
  const { roles, becomePassword } = settings;
  return localWorker({
    settings,
    report,
    connect: async (host) => {
      const target = targets.get(host);
      if (target === undefined) throw new Error(`no target for ${host}`);
      return await connect({ ...target, ...(becomePassword && { becomePassword }) });
    },
    resources: (host, facts) => {
      const all = hostResources(site, host, facts);
      return roles === undefined ? all : declaredBy(roles, all);
    },
  });
}
