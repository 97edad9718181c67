import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { applyPlays } from '../../src/apply/plays.ts';
import { noteResult, startProgress } from '../../src/apply/progress.ts';
import type { WorkEvent } from '../../src/apply/host-run.ts';
import type { HostwrightError } from '../../src/errors.ts';
import type { PlayHosts } from '../../src/site/model.ts';
import type { Play } from '../../src/site/site.ts';
import { applyHosts } from '../../src/workers/apply-hosts.ts';
import { planHosts } from '../../src/workers/plan-hosts.ts';
import { modelHost } from '../plan/model/host.ts';
import { documentType, placed } from '../plan/model/types.ts';
import { install, type World } from '../plan/model/world.ts';
import { engines, settings, type Engine } from '../workers/engines.ts';

interface Setting {
  readonly plays: readonly PlayHosts[];
  /** Hosts whose first step fails. */
  readonly broken?: readonly string[];
  /** Hosts whose connection breaks when they are to be changed. */
  readonly gone?: readonly string[];
  /** Hosts on which the type throws what nobody foresaw. */
  readonly defects?: readonly string[];
  /** Told of everything that happens, as it does. */
  readonly told?: (event: WorkEvent) => void;
  readonly signal?: AbortSignal;
  readonly forks?: number;
  /** In the first play. */
  readonly ranks?: Readonly<Record<string, number>>;
}

interface Ended {
  /** `web1 changed`, with the reason if there is one. */
  readonly results: readonly string[];
  readonly lost: ReadonlyMap<string, HostwrightError>;
}

/** Plans and applies on hosts of the model, each of which has one document to write in each play. */
async function applied({ open }: Engine, setting: Setting): Promise<Ended> {
  const { plays, broken = [], gone = [], defects = [], told, forks = 4, ranks = {} } = setting;
  const fail = (): never => {
    throw new TypeError('a defect');
  };
  const signal = setting.signal ?? new AbortController().signal;
  const results: string[] = [];
  const planned = await planHosts({
    names: [...new Set(plays.flatMap(({ hosts }) => hosts))],
    open: (report) =>
      open({
        settings,
        report,
        address: () => undefined,
        ranks: (host) => new Map([[0, ranks[host] ?? 0]]),
        connect: (host) => {
          const world: World = {
            entries: new Map(),
            packages: new Set(),
            daemons: new Map(),
            records: new Map(),
          };
          install(world, 'alpha');
          return Promise.resolve(
            modelHost(world, {
              host,
              ...(broken.includes(host) && { broken: 'document:/etc/alpha/conf0' }),
              ...(gone.includes(host) && { loss: { request: 2, done: 'nothing' } }),
            }),
          );
        },
        resources: (host) =>
          plays.map((_, play) =>
            placed(
              { ...documentType, ...(defects.includes(host) && { apply: fail }) },
              { path: `/etc/alpha/conf${play}`, text: 'new' },
              { role: 'web', play },
              [],
            ),
          ),
      }),
    ...{ forks, signal },
    report: (event) => {
      told?.(event);
      if (event.type === 'result')
        results.push(`${event.host} ${event.outcome} ${event.reason ?? ''}`.trim());
    },
  });
  expect(planned.lost).toEqual(new Map());
  const lost = await applyHosts(planned, { plays, forks, signal });
  await planned.worker.close();
  for (const { progress, changes } of planned.hosts.values())
    expect(progress.changed + progress.failed + progress.skipped).toBe(changes);
  return { results, lost };
}

function play(hosts: readonly string[], options: Partial<Play> = {}): PlayHosts {
  return { play: { hosts: 'all', roles: ['web'], place: { file: 'site.yml' }, ...options }, hosts };
}

describe('hosts that are taken out of service', () => {
  const hosts = ['web1', 'db1', 'web2', 'web3'];
  const prepared = (...names: readonly string[]) => names.map((host) => `prepare ${host}`);
  const inTurn = ['db1', 'web1', 'web2', 'web3'];

  /** What is worked on at the same time, as it begins and ends. */
  async function course(
    options: Partial<Play>,
    failing: readonly string[] = [],
    unprepared: readonly string[] = [],
  ): Promise<readonly string[]> {
    const change = { resource: 'file:/x', role: 'web', action: 'update' } as const;
    const progress = new Map(hosts.map((host) => [host, startProgress([change])]));
    const told: string[] = [];
    const noteOutcome = (host: string, outcome: 'changed' | 'failed'): void => {
      noteResult(progress.get(host) ?? startProgress([]), {
        ...{ type: 'result', host, ...change, outcome, ms: 0 },
      });
    };
    await applyPlays({
      plays: [play(hosts, options)],
      ...{ hosts: progress, lost: new Map(), forks: 4, signal: new AbortController().signal },
      drains: (host) => host.startsWith('web'),
      preparePlay: (host) => {
        told.push(`prepare ${host}`);
        if (unprepared.includes(host)) noteOutcome(host, 'failed');
        return Promise.resolve(undefined);
      },
      applyPlay: async (host) => {
        told.push(`begin ${host}`);
        await setImmediate();
        told.push(`end ${host}`);
        noteOutcome(host, failing.includes(host) ? 'failed' : 'changed');
        return undefined;
      },
      report: ({ host, outcome, reason }) => told.push(`${host} ${outcome}: ${reason ?? ''}`),
    });
    return told;
  }
  const alone = (host: string): readonly string[] => [`begin ${host}`, `end ${host}`];

  it('follow one another, also where the play takes all hosts at once', async () => {
    expect(await course({})).toEqual([...prepared(...inTurn), ...inTurn.flatMap(alone)]);
  });

  it('stay untouched where the change has failed on the one before', async () => {
    const skipped = ['web2', 'web3'].map((host) => `${host} skipped: too many hosts failed`);
    expect(await course({}, ['web1'])).toEqual([
      ...prepared(...inTurn),
      ...['db1', 'web1'].flatMap(alone),
      ...skipped,
    ]);
  });

  it('all stay untouched where what can be tried before has failed on one', async () => {
    const skipped = ['web1', 'db1', 'web2'].map((host) => `${host} skipped: too many hosts failed`);
    expect(await course({}, [], ['web3'])).toEqual([...prepared(...inTurn), ...skipped]);
  });

  it('go on without one that cannot be prepared, as far as the play allows', async () => {
    const told = await course({ serial: 1, max_fail_percentage: 100 }, [], ['web2']);
    expect(told).toEqual([...prepared(...hosts), ...['web1', 'db1', 'web3'].flatMap(alone)]);
  });

  it('are as many at a time as the play says', async () => {
    const told = (await course({ serial: 2 })).slice(hosts.length);
    expect(told.slice(0, 2)).toEqual(['begin web1', 'begin db1']);
    expect(told.slice(4, 6)).toEqual(['begin web2', 'begin web3']);
  });
});

describe.each(engines)('a run that works $name', (engine) => {
  it('takes the hosts of a play by rank, and in their order where that is the same', async () => {
    const hosts = ['web1', 'web2', 'web3'];
    const plays = [play(hosts, { serial: 1 }), play(hosts, { serial: 1 })];
    const { results } = await applied(engine, { plays, ranks: { web1: 1, web3: -1 } });
    expect(results.map((text) => text.split(' ')[0])).toEqual(['web3', 'web2', 'web1', ...hosts]);
  });

  it('brings the other hosts to their end when something unforeseen happens on one', async () => {
    const { results, lost } = await applied(engine, {
      plays: [play(['web1', 'web2'])],
      forks: 1,
      defects: ['web1'],
    });
    expect(results).toEqual(['web1 skipped the host was lost', 'web2 changed']);
    expect(lost.get('web1')).toMatchObject({ code: 'E_REMOTE', found: 'TypeError: a defect' });
  });

  it('finishes the step in hand when it is interrupted, and begins no other', async () => {
    const interruption = new AbortController();
    const { results } = await applied(engine, {
      plays: [play(['web1', 'web2']), play(['web1', 'web2'])],
      forks: 1,
      signal: interruption.signal,
      told: (event) => {
        if (event.type === 'result') interruption.abort();
      },
    });
    expect(results).toEqual([
      'web1 changed',
      'web1 skipped interrupted',
      'web2 skipped interrupted',
      'web2 skipped interrupted',
    ]);
  });

  describe('a change that fails', () => {
    /** How it ends on each host, in order, where it fails on those that are `broken`. */
    async function endings(
      first: Partial<Play>,
      broken: readonly string[],
      gone: readonly string[] = [],
    ): Promise<readonly string[]> {
      const hosts = ['web1', 'web2', 'web3', 'web4'];
      const { results } = await applied(engine, { plays: [play(hosts, first), play(hosts)], broken, gone });
      return hosts.map((host) => {
        const own = results.filter((result) => result.startsWith(host));
        return own.map((result) => result.split(' ')[1]).join(' ');
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
      expect(await endings({ serial: '50%' }, ['web1', 'web2'])).toEqual([
        failed,
        failed,
        notBegun,
        notBegun,
      ]);
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
});
