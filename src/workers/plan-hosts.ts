import pLimit from 'p-limit';
import type { WorkEvent } from '../apply/host-run.ts';
import { noteResult, startProgress, type Progress } from '../apply/progress.ts';
import { HostwrightErrors, type HostwrightError } from '../errors.ts';
import type { Observed } from '../roles/role.ts';
import type { ChangeEvent, RemarkEvent } from '../plan/event.ts';
import { untilAborted } from './until-aborted.ts';
import type { PlannedHost, Worker } from './worker.ts';

/** A host that has its plan, and what has become of it. */
export interface RunHost extends Pick<PlannedHost, 'resources' | 'ranks' | 'drains' | 'digests' | 'isDone'> {
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
  /** Those of them that are observed before any of these is planned; default none. */
  readonly observing?: readonly string[];
  /** Makes the worker, which tells what it does. */
  readonly open: (report: (event: WorkEvent) => void) => Worker;
  /** Hosts in parallel. */
  readonly forks: number;
  readonly signal: AbortSignal;
  readonly report: (event: WorkEvent) => void;
}

/** What came of the work on each of `names`, in that order. */
async function each<Result>(
  names: readonly string[],
  { forks, signal }: Pick<PlanHostsOptions, 'forks' | 'signal'>,
  work: (host: string) => Promise<Result>,
): Promise<readonly (readonly [string, Result | readonly HostwrightError[]])[]> {
  const limit = pLimit(forks);
  const one = async (host: string): Promise<readonly [string, Result | readonly HostwrightError[]]> => {
    signal.throwIfAborted();
    try {
      return [host, await work(host)];
    } catch (error) {
      if (error instanceof HostwrightErrors) return [host, error.errors];
      throw error;
    }
  };
  return await untilAborted(Promise.all(names.map((host) => limit(one, host))), signal);
}

function isAnswer(
  entry: ReadonlyMap<string, string> | readonly HostwrightError[],
): entry is ReadonlyMap<string, string> {
  return entry instanceof Map;
}

/** What was read of hosts, and why some of them cannot take part. */
async function observeHosts(
  worker: Worker,
  options: PlanHostsOptions,
): Promise<{
  readonly observed: Observed;
  readonly failed: ReadonlyMap<string, readonly HostwrightError[]>;
}> {
  const answers = await each(options.observing ?? [], options, (host) => worker.observe(host));
  const observed = new Map<string, Map<string, string>>();
  const failed = new Map<string, readonly HostwrightError[]>();
  for (const [host, entry] of answers) {
    if (!isAnswer(entry)) {
      failed.set(host, entry);
      continue;
    }
    for (const [name, text] of entry)
      observed.set(name, (observed.get(name) ?? new Map<string, string>()).set(host, text));
  }
  return { observed, failed };
}

async function planEach(
  worker: Worker,
  options: PlanHostsOptions,
): Promise<readonly (readonly [string, PlannedHost | readonly HostwrightError[]])[]> {
  const { observed, failed } = await observeHosts(worker, options);
  return await each<PlannedHost>(options.names, options, async (host) => {
    const errors = failed.get(host);
    if (errors !== undefined) throw new HostwrightErrors(errors);
    return await worker.plan(host, observed);
  });
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
