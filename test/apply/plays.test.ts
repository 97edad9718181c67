import { expect, it } from 'vitest';
import type { HostRun } from '../../src/apply/host-run.ts';
import { applyPlays } from '../../src/apply/plays.ts';
import type { HostwrightError } from '../../src/errors.ts';
import { orderUnits } from '../../src/plan/graph.ts';
import { planHost } from '../../src/plan/plan.ts';
import { modelHost } from '../plan/model/host.ts';
import { documentType, placed } from '../plan/model/types.ts';
import { install, type World } from '../plan/model/world.ts';

it('brings the other hosts to their end when something unforeseen happens on one', async () => {
  const outcomes: string[] = [];
  const runOn = (host: string, apply: typeof documentType.apply): HostRun => {
    const world: World = { entries: new Map(), packages: new Set(), daemons: new Map(), records: new Map() };
    install(world, 'alpha');
    const document = placed(
      { ...documentType, apply },
      { path: '/etc/alpha/conf', text: 'new' },
      { role: 'web', play: 0 },
      [],
    );
    return {
      plan: planHost(host, [document], orderUnits(host, [document]), new Map()),
      transport: modelHost(world),
      reconnect: () => Promise.reject(new Error('nobody reconnects')),
      confirmWithin: 1,
      outcomes: new Map(),
      signal: new AbortController().signal,
      report: (event) => {
        if (event.type === 'result') outcomes.push(`${event.host} ${event.outcome} ${event.reason ?? ''}`);
      },
    };
  };
  const lost = new Map<string, HostwrightError>();
  const broken = (): never => {
    throw new TypeError('a defect');
  };
  await applyPlays({
    plays: [
      {
        play: { name: 'all', hosts: 'all', roles: ['web'], place: { file: 'site.yml' } },
        hosts: ['web1', 'web2'],
      },
    ],
    runs: new Map([
      ['web1', runOn('web1', broken)],
      ['web2', runOn('web2', (changes, host) => documentType.apply(changes, host))],
    ]),
    lost,
    forks: 1,
    signal: new AbortController().signal,
  });
  expect(outcomes).toEqual(['web1 skipped the host was lost', 'web2 changed ']);
  expect(lost.get('web1')).toMatchObject({ code: 'E_REMOTE', found: 'TypeError: a defect' });
});
