import pLimit from 'p-limit';
import { defect, HostwrightError } from '../errors.ts';
import type { PlayHosts } from '../site/model.ts';
import { applyPlay } from './host.ts';
import { interrupted, settle, type HostRun } from './host-run.ts';

export interface PlaysOptions {
  readonly plays: readonly PlayHosts[];
  readonly runs: ReadonlyMap<string, HostRun>;
  /** Hosts that take no part any more: unreachable from the start, or lost under way. */
  readonly lost: Map<string, HostwrightError>;
  /** Hosts at the same time. */
  readonly forks: number;
  readonly signal: AbortSignal;
}

function batchesOf(
  hosts: readonly string[],
  serial: number | string | undefined,
): readonly (readonly string[])[] {
  if (serial === undefined) return [hosts];
  const size =
    typeof serial === 'number'
      ? serial
      : Math.max(1, Math.floor((hosts.length * Number.parseInt(serial, 10)) / 100));
  const batches: (readonly string[])[] = [];
  for (let start = 0; start < hosts.length; start += size) batches.push(hosts.slice(start, start + size));
  return batches;
}

function hasFailed(run: HostRun): boolean {
  return [...run.outcomes.values()].includes('failed');
}

/**
 * Carries out the plays in order, each on its hosts, `serial` hosts at a time. A host that failed takes no
 * part in what follows. Nothing more is begun when more than `max_fail_percentage` of the hosts of a batch
 * fail; without that setting the others go on, but where `serial` hosts at a time are changed and all of
 * these failed. Every change that is not come to is reported as skipped.
 */
export async function applyPlays(options: PlaysOptions): Promise<void> {
  const end = await applyInOrder(options);
  for (const [host, run] of options.runs) {
    const reason = hasFailed(run) || options.lost.has(host) ? 'the host failed before' : end;
    for (const change of run.plan.changes.values()) {
      if (!run.outcomes.has(change.id)) settle(run, change, 'skipped', 0, reason);
    }
  }
}

/** Why hosts that did not fail were not come to. */
type End = 'every host has had its turn' | typeof interrupted | 'too many hosts failed before';

async function applyInOrder({ plays, runs, lost, forks, signal }: PlaysOptions): Promise<End> {
  const limit = pLimit(forks);
  const failedOn = (host: string): boolean => {
    const run = runs.get(host);
    return run !== undefined && hasFailed(run);
  };
  const takesPart = (host: string): boolean => runs.has(host) && !lost.has(host) && !failedOn(host);
  for (const [index, { play, hosts }] of plays.entries()) {
    for (const batch of batchesOf(
      hosts.filter((host) => runs.has(host)),
      play.serial,
    )) {
      const members = batch.filter(takesPart);
      await Promise.all(
        members.map((host) =>
          limit(async () => {
            const run = runs.get(host);
            if (run === undefined || signal.aborted) return;
            try {
              await applyPlay(run, index);
            } catch (error) {
              lost.set(
                host,
                error instanceof HostwrightError
                  ? error
                  : defect('E_REMOTE', 'work on the host cannot continue', { host }, error),
              );
            }
          }),
        ),
      );
      if (signal.aborted) return interrupted;
      const failed = batch.filter((host) => !takesPart(host)).length;
      const { serial, max_fail_percentage: allowed } = play;
      const tooMany =
        allowed === undefined
          ? // What failed wherever it was tried is not tried on the rest. A host that was lost says nothing of it.
            serial !== undefined && members.length > 0 && members.every((host) => failedOn(host))
          : (100 * failed) / batch.length > allowed;
      if (tooMany) return 'too many hosts failed before';
    }
  }
  return 'every host has had its turn';
}
