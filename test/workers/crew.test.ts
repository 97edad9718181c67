import { expect, test } from 'vitest';
import type { LocalOptions } from '../../src/workers/local.ts';
import { applyHosts } from '../../src/workers/apply-hosts.ts';
import { workerCount } from '../../src/workers/count.ts';
import { crew } from '../../src/workers/crew.ts';
import { planHosts, type PlannedHosts } from '../../src/workers/plan-hosts.ts';
import { modelHost } from '../plan/model/host.ts';
import { documentType, placed } from '../plan/model/types.ts';
import { install, type World } from '../plan/model/world.ts';
import { overTheWire, settings } from './engines.ts';

const names = ['web1', 'web2', 'web3', 'web4'];
const plays = [{ play: { hosts: 'all', roles: ['web'], place: { file: 'site.yml' } }, hosts: names }];

function newWorld(): World {
  const world: World = { entries: new Map(), packages: new Set(), daemons: new Map(), records: new Map() };
  install(world, 'alpha');
  return world;
}

interface Crewed {
  readonly planned: Promise<PlannedHosts>;
  /** Ends one of the two workers, as the kernel does where memory is short. */
  readonly kill: (index: number) => void;
  /** Which worker has connected to each host. */
  readonly owners: ReadonlyMap<string, number>;
  readonly results: readonly string[];
  /** What hosts do at this moment. */
  readonly steps: ReadonlyMap<string, string | null>;
}

interface Setting {
  readonly forks?: number;
  readonly connected?: (host: string) => Promise<void>;
}

/** Two workers; each host has one document to be written. */
function plan({ forks = 4, connected }: Setting = {}): Crewed {
  const owners = new Map<string, number>();
  const results: string[] = [];
  const steps = new Map<string, string | null>();
  const kills: (() => void)[] = [];
  const optionsOf = (index: number, report: LocalOptions['report']): LocalOptions => ({
    ...{ settings, report, address: () => undefined },
    connect: async (host) => {
      owners.set(host, index);
      await connected?.(host);
      return modelHost(newWorld(), { host });
    },
    resources: () => [
      placed(documentType, { path: '/etc/alpha/conf', text: 'new' }, { role: 'web', play: 0 }, []),
    ],
  });
  const planned = planHosts({
    names,
    open: (report) => {
      const workers = [0, 1].map((index) => overTheWire(optionsOf(index, report)));
      kills.push(...workers.map(({ kill }) => kill));
      return crew(workers.map(({ worker }) => worker));
    },
    ...{ forks, signal: new AbortController().signal },
    report: (event) => {
      if (event.type === 'step') steps.set(event.host, event.title);
      if (event.type === 'result')
        results.push(`${event.host} ${event.outcome} ${event.reason ?? ''}`.trim());
    },
  });
  return { planned, kill: (index) => kills[index]?.(), owners, results, steps };
}

test('hosts are shared evenly', async () => {
  const { planned, owners } = plan();
  expect([...(await planned).hosts.keys()]).toEqual(names);
  expect(names.map((name) => owners.get(name))).toEqual([0, 1, 0, 1]);
});

test('of a worker that is killed while hosts are planned only these are lost, and the rest goes to the others', async () => {
  const crewed = plan({
    forks: 2,
    connected: async (host) => {
      if (host !== 'web1') return;
      crewed.kill(0);
      await new Promise(() => undefined);
    },
  });
  const { hosts, lost } = await crewed.planned;
  expect([...hosts.keys()]).toEqual(['web2', 'web3', 'web4']);
  expect([...lost.keys()]).toEqual(['web1']);
  expect(crewed.steps.get('web1')).toBeNull();
  expect(lost.get('web1')).toMatchObject([{ code: 'E_WORKER', place: { host: 'web1' }, found: 'SIGKILL' }]);
});

test('of a worker that is killed before its hosts are changed these are lost, each change is accounted for', async () => {
  const { planned, kill, results } = plan();
  const run = await planned;
  kill(1);
  const lost = await applyHosts(run, { plays, forks: 4, signal: new AbortController().signal });
  await run.worker.close();
  expect(results.toSorted()).toEqual([
    'web1 changed',
    'web2 skipped the host was lost',
    'web3 changed',
    'web4 skipped the host was lost',
  ]);
  expect([...lost].map(([host, { code }]) => [host, code])).toEqual([
    ['web2', 'E_WORKER'],
    ['web4', 'E_WORKER'],
  ]);
});

test.each([
  [{ hosts: 3, forks: 20, processors: 8 }, 1],
  [{ hosts: 499, forks: 20, processors: 8 }, 1],
  [{ hosts: 500, forks: 20, processors: 8 }, 2],
  [{ hosts: 10_000, forks: 20, processors: 8 }, 4],
  [{ hosts: 10_000, forks: 100, processors: 8 }, 8],
  [{ hosts: 10_000, forks: 2, processors: 8, workers: 8 }, 2],
  [{ hosts: 3, forks: 20, processors: 1, workers: 2 }, 2],
  [{ hosts: 3, forks: 20, processors: 1, workers: 9 }, 3],
  [{ hosts: 0, forks: 20, processors: 8 }, 1],
])('a run of %j has %i of them', (demand, count) => {
  expect(workerCount(demand)).toBe(count);
});
