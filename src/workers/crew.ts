import type { RemoteWorker } from './remote.ts';
import type { Worker } from './worker.ts';

interface Member {
  readonly worker: RemoteWorker;
  /** Hosts that it works on at this moment. */
  busy: number;
}

/**
 * Several workers as one. A host goes to the one that has the least to do, and stays with it; hosts that are
 * still to be planned go past a worker that has ended.
 */
export function crew(workers: readonly RemoteWorker[]): Worker {
  const members = workers.map((worker): Member => ({ worker, busy: 0 }));
  const owners = new Map<string, Member>();

  const leastBusy = (): Member => {
    const alive = members.filter(({ worker }) => !worker.hasEnded);
    const [first, ...others] = alive.length > 0 ? alive : members;
    if (first === undefined) throw new TypeError('a crew without workers');
    return others.reduce((least, member) => (member.busy < least.busy ? member : least), first);
  };

  const working = async <Result>(
    host: string,
    work: (worker: Worker) => Promise<Result>,
  ): Promise<Result> => {
    const member = owners.get(host) ?? leastBusy();
    owners.set(host, member);
    member.busy += 1;
    try {
      return await work(member.worker);
    } finally {
      member.busy -= 1;
    }
  };

  return {
    observe: (host) => working(host, (worker) => worker.observe(host)),
    plan: (host, observed) => working(host, (worker) => worker.plan(host, observed)),
    preparePlay: (host, play) => working(host, (worker) => worker.preparePlay(host, play)),
    applyPlay: (host, play) => working(host, (worker) => worker.applyPlay(host, play)),
    recordApplied: (host) => working(host, (worker) => worker.recordApplied(host)),
    stop() {
      for (const { worker } of members) worker.stop();
    },
    async close() {
      await Promise.all(members.map(({ worker }) => worker.close()));
    },
  };
}
