import pLimit from 'p-limit';
import type { HostwrightError } from '../errors.ts';
import type { ResultEvent } from '../plan/event.ts';
import type { PlayHosts } from '../site/model.ts';
import { interrupted } from './host-run.ts';
import { skippedResults, type Progress } from './progress.ts';

type Work = (host: string, play: number) => Promise<HostwrightError | undefined>;

export interface PlaysOptions {
  readonly plays: readonly PlayHosts[];
  /** The hosts that have a plan. */
  readonly hosts: ReadonlyMap<string, Progress>;
  /** Hosts that are out of the run: unreachable from the start, or lost later. */
  readonly lost: Map<string, HostwrightError>;
  /** Hosts in parallel. */
  readonly forks: number;
  readonly signal: AbortSignal;
  /** Whether a host is taken out of service in a play. */
  readonly drains: (host: string, play: number) => boolean;
  /** Has a host do what it can of a play before its turn; gives why it was lost, if it was. */
  readonly preparePlay: Work;
  /** Carries out a play on a host, whose results are reported meanwhile; gives why the host was lost, if it was. */
  readonly applyPlay: Work;
  /** Is told of the changes that are not come to. */
  readonly report: (event: ResultEvent) => void;
}

/** Without `serial` all at once, but for hosts that are taken out of service: these one after the other, at the end. */
function batchesOf(
  hosts: readonly string[],
  serial: number | string | undefined,
  drains: (host: string) => boolean,
): readonly (readonly string[])[] {
  if (serial === undefined) {
    const together = hosts.filter((host) => !drains(host));
    const others = hosts.filter(drains).map((host) => [host]);
    return together.length === 0 ? others : [together, ...others];
  }
  const size =
    typeof serial === 'number'
      ? serial
      : Math.max(1, Math.floor((hosts.length * Number.parseInt(serial, 10)) / 100));
  const batches: (readonly string[])[] = [];
  for (let start = 0; start < hosts.length; start += size) batches.push(hosts.slice(start, start + size));
  return batches;
}

/**
 * Carries out the plays in order, each on its hosts, `serial` hosts at a time, after what can be prepared on all of
 * them together. A host that failed takes no part in what follows. Nothing more is begun when more than `max_fail_percentage` of the hosts of a batch
 * fail; without that setting the others go on, but where `serial` hosts at a time are changed, or one that is taken
 * out of service, and all of these failed. Every change that is not come to is reported as skipped.
 */
export async function applyPlays(options: PlaysOptions): Promise<void> {
  const { hosts, lost } = options;
  const end = await applyInOrder(options);
  for (const [host, progress] of hosts) {
    skip(options, host, progress.failed > 0 || lost.has(host) ? 'the host failed before' : end);
  }
}

function skip({ hosts, report }: PlaysOptions, host: string, reason: string): void {
  const progress = hosts.get(host);
  if (progress !== undefined) for (const event of skippedResults(host, progress, reason)) report(event);
}

/** Why hosts that did not fail were not come to. */
type End = 'all hosts are done' | typeof interrupted | 'too many hosts failed';

async function applyInOrder(options: PlaysOptions): Promise<End> {
  const { hosts, lost, signal } = options;
  const limit = pLimit(options.forks);
  const failedOn = (host: string): boolean => (hosts.get(host)?.failed ?? 0) > 0;
  const takesPart = (host: string): boolean => hosts.has(host) && !lost.has(host) && !failedOn(host);
  const workOn = async (host: string, play: number, work: Work): Promise<void> => {
    if (hosts.get(host)?.open.size === 0 || signal.aborted) return;
    const error = await work(host, play);
    if (error === undefined) return;
    lost.set(host, error);
    skip(options, host, 'the host was lost');
  };
  for (const [index, { play, hosts: all }] of options.plays.entries()) {
    const drains = (host: string): boolean => options.drains(host, index);
    const known = all.filter((host) => hosts.has(host));
    const batches = batchesOf(known, play.serial, drains);
    const turns = batches.map((batch) => ({ batches: [batch], work: options.applyPlay }));
    if (batches.length > 1) turns.unshift({ batches: [...batches], work: options.preparePlay });
    for (const turn of turns) {
      const begun = new Set(turn.batches.flat().filter(takesPart));
      await Promise.all([...begun].map((host) => limit(workOn, host, index, turn.work)));
      if (signal.aborted) return interrupted;
      const isTooMany = (batch: readonly string[]): boolean => {
        const { serial, max_fail_percentage: allowed } = play;
        if (allowed !== undefined)
          return 100 * batch.filter((host) => !takesPart(host)).length > allowed * batch.length;
        const own = batch.filter((host) => begun.has(host));
        const isOneOfSeveral = serial !== undefined || own.some(drains);
        // A change that failed on every host so far is not tried on the others. Lost hosts do not count.
        return isOneOfSeveral && own.length > 0 && own.every(failedOn);
      };
      if (turn.batches.some(isTooMany)) return 'too many hosts failed';
    }
  }
  return 'all hosts are done';
}
