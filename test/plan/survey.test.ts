import { describe, expect, test } from 'vitest';
import type { PlanHostsOptions, PlannedHosts } from '../../src/workers/plan-hosts.ts';
import { planHosts } from '../../src/workers/plan-hosts.ts';
import type { DeclaredResource, ResourceType } from '../../src/resources/resource.ts';
import { commandType } from '../../src/resources/command.ts';
import { directory } from '../../src/resources/directory.ts';
import { HostwrightError } from '../../src/errors.ts';
import { sh } from '../../src/transport/shell.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { engines, settings, type Engine } from '../workers/engines.ts';
import type { LocalOptions } from '../../src/workers/local.ts';
import { placed } from '../../src/testing/index.ts';

const facts = 'architecture=amd64\nmemory=1024\n';

/** An answer of sections that all succeed. */
function answerOf(texts: readonly string[]): string {
  return [...texts.map((text) => `0 ${text.length} 0\n`), ...texts].join('');
}

/** Hosts that answer the facts and `observed`, then a guard that has reached its state and no mounts. */
function hostsThatAnswer(observed: (host: string) => readonly string[] = () => []) {
  const open = new Set<string>();
  const connect = async (host: string): Promise<Transport> => {
    open.add(host);
    let roundTrips = 0;
    return Promise.resolve({
      host,
      get roundTrips() {
        return roundTrips;
      },
      request: async () => {
        roundTrips += 1;
        const stdout = answerOf(roundTrips === 1 ? [facts, '', ...observed(host)] : ['0\n', '']);
        return Promise.resolve({ code: 0, stdout: Buffer.from(stdout), stderr: Buffer.alloc(0) });
      },
      stream: () => Promise.reject(new Error('not asked for')),
      stop: () => undefined,
      close: async () => {
        open.delete(host);
        return Promise.resolve();
      },
    });
  };
  return { open, connect };
}

function resourceOf(type: ResourceType): DeclaredResource {
  return placed({ type, attributes: { name: 'x', run: ['true'], creates: '/x' } });
}

/** Plans three hosts, two in parallel. */
async function survey(
  { open }: Engine,
  connect: LocalOptions['connect'],
  more: Partial<LocalOptions> & Partial<Pick<PlanHostsOptions, 'signal' | 'observing' | 'forks'>> = {},
): Promise<PlannedHosts> {
  const { signal = new AbortController().signal, observing = [], forks = 2, ...options } = more;
  return await planHosts({
    names: ['web1', 'web2', 'web3'],
    open: (report) =>
      open({
        ...{ settings, connect, report, address: () => undefined },
        resources: () => [resourceOf(commandType)],
        ...options,
      }),
    ...{ forks, observing, signal, report: () => undefined },
  });
}

function fails(what: string): () => never {
  return () => {
    throw new TypeError(`${what} is not defined`);
  };
}

describe.each(engines)('hosts that are planned $name', (engine) => {
  test.each<[string, Partial<ResourceType>]>([
    ['probe', { probe: fails('probe') }],
    ['want', { want: fails('want') }],
    ['foresee', { order: { foresee: fails('foresee') } }],
  ])('a defect in %s of a type costs one host, whose connection is closed', async (member, broken) => {
    const { open, connect } = hostsThatAnswer();
    const resources: LocalOptions['resources'] = (host) => [
      resourceOf(host === 'web2' ? { ...commandType, ...broken } : commandType),
    ];
    const { hosts, lost } = await survey(engine, connect, { resources });
    expect([...hosts.keys()]).toEqual(['web1', 'web3']);
    expect(lost.get('web2')).toMatchObject([
      { code: 'E_PROBE', found: expect.stringContaining(`${member} is not defined`) as string },
    ]);
    expect([...open]).toEqual(['web1', 'web3']);
  });

  test('a run of some roles tells a probe what the others declare', async () => {
    const { connect } = hostsThatAnswer();
    const others: (boolean | undefined)[] = [];
    const asking: ResourceType = {
      ...commandType,
      probe: (batch, host) => {
        others.push(host?.owns('/etc/other'), host?.owns('/etc/nobody'));
        return commandType.probe(batch as Parameters<typeof commandType.probe>[0], host);
      },
    };
    const { hosts } = await survey(engine, connect, {
      settings: { ...settings, roles: ['web'] },
      resources: () => [resourceOf(asking), placed(directory('/etc/other'), 'other')],
    });
    expect([...hosts.values()].map(({ resources }) => resources)).toEqual([1, 1, 1]);
    expect(others).toEqual([true, false, true, false, true, false]);
  });

  test('an exception that nobody foresaw costs one host, and is no error of the user', async () => {
    const { open, connect } = hostsThatAnswer();
    const resources: LocalOptions['resources'] = (host) =>
      host === 'web1' ? fails('x')() : [resourceOf(commandType)];
    const { lost } = await survey(engine, connect, { resources });
    expect(lost.get('web1')).toMatchObject([
      { message: 'web1 cannot be planned', hint: 'this is a bug in Hostwright: please report it' },
    ]);
    expect([...open]).toEqual(['web2', 'web3']);
  });

  test('an interrupted survey closes every connection, also one that comes about later', async () => {
    const { open, connect } = hostsThatAnswer();
    const controller = new AbortController();
    let arrive = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const surveyed = survey(
      engine,
      async (host) => {
        if (host === 'web2') await late;
        if (host === 'web3') controller.abort();
        return await connect(host);
      },
      { signal: controller.signal },
    );
    await expect(surveyed).rejects.toThrow('aborted');
    arrive();
    await expect.poll(() => [...open], { timeout: 30_000 }).toEqual([]);
  });

  describe('what hosts must know of each other', () => {
    const observations: LocalOptions['observations'] = (host) =>
      host === 'web3' ? [] : [{ name: 'cluster', script: sh`cat state` }];

    test('is read of all of them before the resources of any are made, also one host at a time', async () => {
      const { connect } = hostsThatAnswer((host) => (host === 'web3' ? [] : [`state of ${host}`]));
      const seen: (readonly (readonly [string, string])[])[] = [];
      const resources: LocalOptions['resources'] = (_host, _facts, { observed }) => {
        seen.push([...(observed.get('cluster') ?? [])]);
        return [resourceOf(commandType)];
      };
      const { hosts } = await survey(engine, connect, {
        ...{ resources, observations, observing: ['web1', 'web2'], forks: 1 },
      });
      const both = [
        ['web1', 'state of web1'],
        ['web2', 'state of web2'],
      ];
      expect(seen).toEqual([both, both, both]);
      // It costs no request.
      expect([...hosts.values()].map(({ roundTrips }) => roundTrips)).toEqual([2, 2, 2]);
    });

    test('is not there of a host that cannot be reached, and the others are planned', async () => {
      const { open, connect } = hostsThatAnswer(() => ['there']);
      const answered: string[] = [];
      const { hosts, lost } = await survey(
        engine,
        async (host) => {
          if (host === 'web2') throw new HostwrightError('E_CONNECT', 'web2 does not answer');
          return await connect(host);
        },
        {
          resources: (_host, _facts, { observed }) => {
            answered.push(...(observed.get('cluster') ?? new Map<string, string>()).keys());
            return [resourceOf(commandType)];
          },
          observations: () => [{ name: 'cluster', script: sh`cat state` }],
          observing: ['web1', 'web2'],
        },
      );
      expect([...hosts.keys()]).toEqual(['web1', 'web3']);
      expect(lost.get('web2')).toMatchObject([{ code: 'E_CONNECT' }]);
      expect([...new Set(answered)]).toEqual(['web1']);
      expect([...open]).toEqual(['web1', 'web3']);
    });
  });

  test('errors of the user stay what they are', async () => {
    const { connect } = hostsThatAnswer();
    const error = new HostwrightError('E_ROLE', 'the role x fails on web1');
    const resources: LocalOptions['resources'] = () => {
      throw error;
    };
    const { lost } = await survey(engine, connect, { resources });
    expect(lost.get('web1')).toEqual([error]);
  });
});
