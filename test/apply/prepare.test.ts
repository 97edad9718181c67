import { describe, expect, it } from 'vitest';
import type { HostRun } from '../../src/apply/host-run.ts';
import { openJournal } from '../../src/apply/journal.ts';
import { startStopwatch } from '../../src/apply/stopwatch.ts';
import { preparePlay } from '../../src/apply/prepare.ts';
import { orderNodes } from '../../src/plan/graph.ts';
import { planHost } from '../../src/plan/plan.ts';
import type { DeclaredResource } from '../../src/resources/resource.ts';
import type { Actual, ResourceId } from '../../src/resources/state.ts';
import { modelHost } from '../plan/model/host.ts';
import { documentType, instruct, packageType, placed, serviceType } from '../plan/model/types.ts';
import { origin } from '../report/terminal.ts';
import { install, type World } from '../plan/model/world.ts';

const place = { role: 'web', play: 0 };

/** A host where the service alpha runs, with what it is to become; nothing of it is made but what is prepared. */
async function prepared(resources: readonly DeclaredResource[], broken?: ResourceId) {
  const world: World = { entries: new Map(), packages: new Set(), daemons: new Map(), records: new Map() };
  install(world, 'alpha');
  const host = modelHost(world, { ...(broken !== undefined && { broken }) });
  const results: string[] = [];
  const outcomes: HostRun['outcomes'] = new Map();
  const found = new Map<ResourceId, Actual>([
    ['service:alpha', { running: true, enabled: true, reload: 'not due' }],
  ]);
  await preparePlay(
    {
      plan: planHost('web1', resources, orderNodes('web1', resources), found),
      ...{ transport: host, login: undefined, confirmWithin: 1, outcomes },
      reconnect: () => Promise.reject(new Error('nothing here is guarded')),
      signal: new AbortController().signal,
      stopwatch: startStopwatch(new Date().toISOString()),
      journal: openJournal(origin(), undefined),
      report: (event) => {
        if (event.type === 'result') results.push(`${event.resource} ${event.outcome}`);
      },
    },
    0,
  );
  return { results, paths: [...world.entries.keys()], packages: [...world.packages], log: host.log };
}

const alpha = placed(
  serviceType,
  { name: 'alpha', running: true, enabled: true, reads: ['/etc/alpha'], validates: true },
  place,
  [],
);
const conf = placed(documentType, { path: '/etc/alpha/conf', text: 'new' }, place, []);

describe('what a host does before its turn', () => {
  it('tries a configuration, and changes nothing', async () => {
    const before = await prepared([]);
    const { results, paths, log } = await prepared([conf, alpha]);
    expect(log).toHaveLength(1);
    expect({ results, paths }).toEqual({ results: [], paths: before.paths });
  });

  it('fails what is not valid', async () => {
    const { results } = await prepared([conf, alpha], conf.id);
    expect(results.toSorted()).toEqual(['document:/etc/alpha/conf failed', 'service:alpha failed']);
  });

  it('does not try what something else comes before', async () => {
    const first = placed(documentType, { path: '/etc/first', text: 'new' }, place, []);
    const second = placed(documentType, { path: '/etc/alpha/conf', text: 'new' }, place, [first.id]);
    expect((await prepared([first, second, alpha], second.id)).results).toEqual([]);
  });

  it('makes what nothing uses yet, of its play and ready', async () => {
    const early = { ...documentType, preparation: { isEarly: () => true } };
    const release = placed(early, { path: '/etc/alpha/release', text: 'new' }, place, []);
    const later = placed(early, { path: '/etc/alpha/later', text: 'new' }, { ...place, play: 1 }, []);
    const blocked = placed(early, { path: '/etc/alpha/blocked', text: 'new' }, place, [
      'document:/etc/alpha/other',
    ]);
    const other = placed(documentType, { path: '/etc/alpha/other', text: 'new' }, place, []);
    const { results } = await prepared([release, later, other, blocked]);
    expect(results).toEqual(['document:/etc/alpha/release changed']);
  });

  it('fetches packages, and installs none', async () => {
    const asked: (readonly string[])[] = [];
    const fetched = {
      ...packageType,
      preparation: {
        fetch: (changes: readonly { readonly desired: { readonly name: string } }[]) => {
          asked.push(changes.map(({ desired }) => desired.name));
          return instruct({ ids: [], do: 'packages', install: [], purge: [] });
        },
      },
    };
    const { results, packages } = await prepared([
      placed(fetched, { name: 'beta' }, place, []),
      placed(fetched, { name: 'gamma' }, place, []),
    ]);
    expect(asked).toEqual([['beta', 'gamma']]);
    expect({ results, packages }).toEqual({ results: [], packages: ['alpha'] });
  });
});
