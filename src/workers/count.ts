/** From so many hosts for each, processes save more time than it takes to start them. */
const worthwhile = 250;

export interface WorkerDemand {
  /** What the user asks for. */
  readonly workers?: number;
  readonly hosts: number;
  /** Hosts in parallel. */
  readonly forks: number;
  readonly processors: number;
}

/** How many processes share the hosts of a run; 1 is the one that runs anyway. */
export function workerCount({ workers, hosts, forks, processors }: WorkerDemand): number {
  const wanted = workers ?? Math.min(processors, Math.floor(hosts / worthwhile));
  return Math.max(1, Math.min(wanted, hosts, forks));
}
