import type { ChangeEvent, ResultEvent } from '../plan/event.ts';
import type { ResourceId } from '../resources/state.ts';

type Waiting = Pick<ChangeEvent, 'role' | 'action'>;

/** What has become of the changes of a host. */
export interface Progress {
  /** Those without a result, in the order of the plan. */
  readonly open: Map<ResourceId, Waiting>;
  changed: number;
  failed: number;
  skipped: number;
}

export function startProgress(changes: readonly Pick<ChangeEvent, 'resource' | keyof Waiting>[]): Progress {
  const open = new Map(changes.map(({ resource, role, action }) => [resource, { role, action }]));
  return { open, changed: 0, failed: 0, skipped: 0 };
}

export function noteResult(progress: Progress, { resource, outcome }: ResultEvent): void {
  progress.open.delete(resource);
  progress[outcome] += 1;
}

/** The results of changes that are not come to. */
export function skippedResults(host: string, { open }: Progress, reason: string): readonly ResultEvent[] {
  return [...open].map(([resource, { role, action }]) => ({
    ...{ type: 'result', host, role, resource, action, outcome: 'skipped', ms: 0, reason },
  }));
}
