import { localWorker, type LocalOptions } from '../../src/workers/local.ts';
import type { Worker } from '../../src/workers/worker.ts';

export interface Engine {
  readonly name: string;
  readonly open: (options: LocalOptions) => Worker;
}

/** The ways in which a run may work on its hosts: whatever is promised of a run is promised of each. */
export const engines: readonly Engine[] = [{ name: 'in this process', open: localWorker }];

export const settings: LocalOptions['settings'] = {
  lock: { mode: 'exclusive', holder: { user: 'u', controller: 'c', pid: 1, since: '' } },
  diff: true,
  apply: { confirmWithin: 1 },
};
