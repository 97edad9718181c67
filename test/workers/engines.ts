import { crew } from '../../src/workers/crew.ts';
import { localWorker, type LocalOptions } from '../../src/workers/local.ts';
import {
  isFromWorker,
  isToWorker,
  type Channel,
  type FromWorker,
  type ProjectData,
  type ToWorker,
} from '../../src/workers/messages.ts';
import { remoteWorker, type RemoteWorker } from '../../src/workers/remote.ts';
import { serve } from '../../src/workers/serve.ts';
import { fromWire, toWire } from '../../src/workers/wire.ts';
import type { Worker } from '../../src/workers/worker.ts';

export interface Engine {
  readonly name: string;
  readonly open: (options: LocalOptions) => Worker;
}

export const settings: LocalOptions['settings'] = {
  lock: { mode: 'exclusive', holder: { user: 'u', controller: 'c', pid: 1, since: '' } },
  diff: true,
  deep: false,
  run: { id: '1', start: '2026-01-01T00:00:00.000Z', version: '1', who: 'u@c', inventory: '/inventory' },
  apply: { confirmWithin: 1 },
};

const project: ProjectData = {
  site: '/site.yml',
  inventory: { source: '/inventory', hosts: new Map(), groups: new Map() },
  variables: new Map(),
  generated: new Map(),
};

/** Takes what another process would get: a clone of the wire form, a turn later. */
function deliver(message: object, take: (message: unknown) => void): void {
  const wire: unknown = structuredClone(toWire(message));
  setImmediate(() => take(fromWire(wire)));
}

/** A worker that is reached as one in another process is, and can be ended as that can. */
export function overTheWire(options: LocalOptions): {
  readonly worker: RemoteWorker;
  readonly kill: () => void;
} {
  let toWorker: ((message: ToWorker) => void) | undefined;
  let fromWorker: ((message: FromWorker) => void) | undefined;
  let onEnd: ((how: string) => void) | undefined;
  let isGone = false;
  const far: Channel<ToWorker, FromWorker> = {
    send: (message) => {
      if (isGone) return;
      deliver(message, (got) => {
        if (isFromWorker(got)) fromWorker?.(got);
      });
    },
    onMessage: (take) => (toWorker = take),
  };
  serve(far, (given, _, report) => Promise.resolve(localWorker({ ...options, settings: given, report })));
  const worker = remoteWorker({
    process: {
      send: (message) => {
        if (isGone) return;
        deliver(message, (got) => {
          if (isToWorker(got)) toWorker?.(got);
        });
      },
      onMessage: (take) => (fromWorker = take),
      onEnd: (take) => (onEnd = take),
      end: () => Promise.resolve(),
    },
    settings: options.settings,
    project,
    report: options.report,
  });
  return {
    worker,
    kill: () => {
      isGone = true;
      // Behind all that it has sent.
      setImmediate(() => onEnd?.('SIGKILL'));
    },
  };
}

/** The ways in which a run may work on its hosts: whatever is promised of a run is promised of each. */
export const engines: readonly Engine[] = [
  { name: 'in this process', open: localWorker },
  {
    name: 'in two processes',
    open: (options) => crew([overTheWire(options).worker, overTheWire(options).worker]),
  },
];
