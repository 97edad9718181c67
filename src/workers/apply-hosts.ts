import pLimit from 'p-limit';
import { applyPlays } from '../apply/plays.ts';
import type { HostwrightError } from '../errors.ts';
import type { PlayHosts } from '../site/model.ts';
import type { PlannedHosts } from './plan-hosts.ts';
import type { Turn } from './worker.ts';

export interface ApplyHostsOptions {
  readonly plays: readonly PlayHosts[];
  /** Hosts in parallel. */
  readonly forks: number;
  /** Once aborted the steps in hand are finished and no others begun. */
  readonly signal: AbortSignal;
}

/** Those of lower rank first, equal ones as they were. */
function byRank(plays: readonly PlayHosts[], hosts: PlannedHosts['hosts']): readonly PlayHosts[] {
  return plays.map(({ play, hosts: names }, index) => {
    const rankOf = (name: string): number => hosts.get(name)?.ranks.get(index) ?? 0;
    return { play, hosts: names.toSorted((one, other) => rankOf(one) - rankOf(other)) };
  });
}

/**
 * Carries out the plays on hosts that have a plan, and has each host keep what was applied. Gives the hosts that
 * were lost on the way.
 */
export async function applyHosts(
  { hosts, worker, report }: Pick<PlannedHosts, 'hosts' | 'worker' | 'report'>,
  { plays, forks, signal }: ApplyHostsOptions,
): Promise<ReadonlyMap<string, HostwrightError>> {
  const lost = new Map<string, HostwrightError>();
  const ended = (host: string, { roundTrips, lost: error }: Turn): HostwrightError | undefined => {
    const known = hosts.get(host);
    if (known !== undefined && roundTrips !== undefined) known.roundTrips = roundTrips;
    return error;
  };
  signal.addEventListener('abort', () => worker.stop());
  await applyPlays({
    ...{ plays: byRank(plays, hosts), lost, forks, signal, report },
    hosts: new Map([...hosts].map(([name, { progress }]) => [name, progress])),
    drains: (host, play) => hosts.get(host)?.drains.includes(play) === true,
    preparePlay: async (host, play) => ended(host, await worker.preparePlay(host, play)),
    applyPlay: async (host, play) => ended(host, await worker.applyPlay(host, play)),
  });
  const limit = pLimit(forks);
  const left = [...hosts].filter(([name, { isDone }]) => !isDone && !lost.has(name));
  const record = async (name: string): Promise<void> => {
    const error = ended(name, await worker.recordApplied(name));
    if (error !== undefined) lost.set(name, error);
  };
  await Promise.all(left.map(([name]) => limit(record, name)));
  return lost;
}
