import pLimit from 'p-limit';
import type { WorkEvent } from '../apply/host-run.ts';
import { noteResult, startProgress, type Progress } from '../apply/progress.ts';
import { HostwrightErrors, type HostwrightError } from '../errors.ts';
import type { ChangeEvent, RemarkEvent } from '../plan/event.ts';
import type { PlannedHost, Worker } from './worker.ts';

/** A host that has its plan, and what has become of it. */
export interface RunHost extends Pick<PlannedHost, 'resources' | 'digests' | 'isDone'> {
  /** Number of changes that are planned. */
  readonly changes: number;
  readonly progress: Progress;
  roundTrips: number;
}

/** The hosts of a run, all of which have been planned. */
export interface PlannedHosts {
  /** Those that have a plan, in their order. */
  readonly hosts: ReadonlyMap<string, RunHost>;
  /** Why the others have none. */
  readonly lost: Map<string, readonly HostwrightError[]>;
  /** The plan as it is shown, host by host; the command that shows it empties the list. */
  readonly events: (ChangeEvent | RemarkEvent)[];
  readonly worker: Worker;
  /** Notes what becomes of changes, and tells it. */
  readonly report: (event: WorkEvent) => void;
}

export interface PlanHostsOptions {
  readonly names: readonly string[];
  /** Makes the worker, which tells what it does. */
  readonly open: (report: (event: WorkEvent) => void) => Worker;
  /** Hosts in parallel. */
  readonly forks: number;
  readonly signal: AbortSignal;
  readonly report: (event: WorkEvent) => void;
}

/** As `work`; rejects at once with the reason when `signal` is aborted, whatever `work` still waits for. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
    };
    signal.addEventListener('abort', abort, { signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
  }
}

/** What came of each of `names`, in that order. */
async function planEach(
  worker: Worker,
  { names, forks, signal }: PlanHostsOptions,
): Promise<readonly (readonly [string, PlannedHost | readonly HostwrightError[]])[]> {
  const limit = pLimit(forks);
  const one = async (host: string): Promise<readonly [string, PlannedHost | readonly HostwrightError[]]> => {
    signal.throwIfAborted();
    try {
      return [host, await worker.plan(host)];
    } catch (error) {
      if (error instanceof HostwrightErrors) return [host, error.errors];
      throw error;
    }
  };
  return await untilAborted(Promise.all(names.map((host) => limit(one, host))), signal);
}

/**
 * Has hosts planned. One that cannot be planned is lost, and the others go on. Where it rejects, as it does with
 * the reason once `signal` is aborted, nothing is left open.
 */
export async function planHosts(options: PlanHostsOptions): Promise<PlannedHosts> {
  const hosts = new Map<string, RunHost>();
  const lost = new Map<string, readonly HostwrightError[]>();
  const events: (ChangeEvent | RemarkEvent)[] = [];
  const report = (event: WorkEvent): void => {
    const progress = hosts.get(event.host)?.progress;
    if (event.type === 'result' && progress !== undefined) noteResult(progress, event);
    options.report(event);
  };
  const worker = options.open(report);
  const found = await planEach(worker, options).catch(async (error: unknown) => {
    await worker.close();
    throw error;
  });
  for (const [host, entry] of found) {
    if (!('events' in entry)) {
      lost.set(host, entry);
      continue;
    }
    const { events: own, remarks, ...planned } = entry;
    hosts.set(host, { ...planned, changes: own.length, progress: startProgress(own) });
    for (const event of [...own, ...remarks]) events.push(event);
  }
  return { hosts, lost, events, worker, report };
}
