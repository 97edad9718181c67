/** With fewer hosts for each, processes save less time than it takes to start them. */
const worthwhile = 250;
/** With fewer hosts in hand, a worker waits for the network. */
const inHand = 5;

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
  const useful = Math.min(processors, Math.floor(hosts / worthwhile), Math.floor(forks / inHand));
  const wanted = workers ?? useful;
  return Math.max(1, Math.min(wanted, hosts, forks));
}
