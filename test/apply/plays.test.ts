import { describe, expect, it } from 'vitest';
import type { HostRun } from '../../src/apply/host-run.ts';
import { applyPlays } from '../../src/apply/plays.ts';
import { HostwrightError } from '../../src/errors.ts';
import { orderUnits } from '../../src/plan/graph.ts';
import { planHost } from '../../src/plan/plan.ts';
import type { PlayHosts } from '../../src/site/model.ts';
import type { Play } from '../../src/site/site.ts';
import { modelHost } from '../plan/model/host.ts';
import { documentType, placed } from '../plan/model/types.ts';
import { install, type World } from '../plan/model/world.ts';

/** A host of the model with one document to write in each of `plays`, that reports to `outcomes`. */
function runOn(
  host: string,
  { outcomes, broken = [], plays = 1, apply = (changes, on) => documentType.apply(changes, on) }: Setting,
): HostRun {
  const world: World = { entries: new Map(), packages: new Set(), daemons: new Map(), records: new Map() };
  install(world, 'alpha');
  const documents = Array.from({ length: plays }, (_, play) =>
    placed(
      { ...documentType, apply },
      { path: `/etc/alpha/conf${play}`, text: 'new' },
      { role: 'web', play },
      [],
    ),
  );
  return {
    plan: planHost(host, documents, orderUnits(host, documents), new Map()),
    transport: modelHost(world, broken.includes(host) ? { broken: 'document:/etc/alpha/conf0' } : {}),
    reconnect: () => Promise.reject(new Error('nobody reconnects')),
    login: undefined,
    confirmWithin: 1,
    outcomes: new Map(),
    signal: new AbortController().signal,
    report: (event) => {
      if (event.type === 'result') outcomes.push(`${event.host} ${event.outcome} ${event.reason ?? ''}`);
    },
  };
}

interface Setting {
  readonly outcomes: string[];
  /** Hosts whose first step fails. */
  readonly broken?: readonly string[];
  readonly plays?: number;
  readonly apply?: typeof documentType.apply;
}

function play(hosts: readonly string[], options: Partial<Play> = {}): PlayHosts {
  return { play: { hosts: 'all', roles: ['web'], place: { file: 'site.yml' }, ...options }, hosts };
}

it('brings the other hosts to their end when something unforeseen happens on one', async () => {
  const outcomes: string[] = [];
  const lost = new Map<string, HostwrightError>();
  const apply = (): never => {
    throw new TypeError('a defect');
  };
  await applyPlays({
    plays: [play(['web1', 'web2'])],
    runs: new Map([
      ['web1', runOn('web1', { outcomes, apply })],
      ['web2', runOn('web2', { outcomes })],
    ]),
    lost,
    forks: 1,
    signal: new AbortController().signal,
  });
  expect(outcomes).toEqual(['web1 skipped the host was lost', 'web2 changed ']);
  expect(lost.get('web1')).toMatchObject({ code: 'E_REMOTE', found: 'TypeError: a defect' });
});

describe('a change that fails', () => {
  /** How it ends on each host, in order, where it fails on those that are `broken`. */
  async function endings(
    first: Partial<Play>,
    broken: readonly string[],
    lost: readonly string[] = [],
  ): Promise<readonly string[]> {
    const outcomes: string[] = [];
    const hosts = ['web1', 'web2', 'web3', 'web4'];
    const gone = new HostwrightError('E_CONNECT', 'gone');
    await applyPlays({
      plays: [play(hosts, first), play(hosts)],
      runs: new Map(hosts.map((host) => [host, runOn(host, { outcomes, broken, plays: 2 })])),
      lost: new Map(lost.map((host) => [host, gone])),
      forks: 4,
      signal: new AbortController().signal,
    });
    return hosts.map((host) => {
      const own = outcomes.filter((outcome) => outcome.startsWith(host));
      return own.map((outcome) => outcome.split(' ')[1]).join(' ');
    });
  }

  const done = 'changed changed';
  const failed = 'failed skipped';
  const notBegun = 'skipped skipped';

  it('ends on its host, and the others go on', async () => {
    expect(await endings({}, ['web1', 'web2'])).toEqual([failed, failed, done, done]);
  });

  it('is not tried on more hosts when all that are changed at a time have failed', async () => {
    expect(await endings({ serial: 1 }, ['web2'])).toEqual(['changed skipped', failed, notBegun, notBegun]);
    expect(await endings({ serial: '50%' }, ['web1', 'web2'])).toEqual([failed, failed, notBegun, notBegun]);
  });

  it('is tried on the others when one at a time has not failed', async () => {
    expect(await endings({ serial: 2 }, ['web1'])).toEqual([failed, done, done, done]);
  });

  it('is tried on the others when a host was lost, which says nothing of the change', async () => {
    expect(await endings({ serial: 1 }, [], ['web1'])).toEqual([notBegun, done, done, done]);
  });

  it('ends the run when it fails on more hosts than max_fail_percentage allows', async () => {
    expect(await endings({ serial: 2, max_fail_percentage: 49 }, ['web1'])).toEqual([
      failed,
      'changed skipped',
      notBegun,
      notBegun,
    ]);
    expect(await endings({ serial: 2, max_fail_percentage: 50 }, ['web1'])).toEqual([
      failed,
      done,
      done,
      done,
    ]);
    expect(await endings({ serial: 1, max_fail_percentage: 100 }, ['web1'])).toEqual([
      failed,
      done,
      done,
      done,
    ]);
  });
});
