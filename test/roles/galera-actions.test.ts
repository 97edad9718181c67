import { describe, expect, it } from 'vitest';
import type { ActionPlan, ActionRequest } from '../../src/index.ts';
import { databaseHosts, promotion, statusOf } from './database-hosts.ts';

interface Server {
  readonly alone?: true;
  readonly cutOff?: true;
  readonly state?: string;
  readonly size?: number;
  readonly cluster?: string;
  readonly silent?: 'down' | 'unreachable';
}

const names = ['web2', 'web3'];
const arbitrator = { name: 'web1', address: 'web1', groups: ['arbitrator'] };

function answerOf({ alone, cutOff, state = 'Synced', size = 3, cluster = 'c1', silent }: Server): string {
  if (silent === 'down') return 'down\n';
  const rows = {
    wsrep_on: alone === true ? 'OFF' : 'ON',
    read_only: 'OFF',
    wsrep_cluster_state_uuid: cluster,
    wsrep_cluster_status: cutOff === true ? 'non-Primary' : 'Primary',
    wsrep_ready: cutOff === true ? 'OFF' : 'ON',
    wsrep_local_state_comment: state,
    wsrep_cluster_size: String(size),
    wsrep_local_recv_queue: '4',
    wsrep_last_committed: '77',
  };
  return Object.entries(rows)
    .map(([name, value]) => `${name}\t${value}\n`)
    .join('');
}

const hostsOf = (
  servers: Readonly<Record<string, Server>>,
  asked: (name: string, request: ActionRequest) => void = () => undefined,
) =>
  databaseHosts(
    names,
    () => ({ mysql_topology: 'group', mysql_flavor: 'mariadb' }),
    (name, request) => {
      asked(name, request);
      const server = servers[name] ?? {};
      return server.silent === 'unreachable' ? undefined : answerOf(server);
    },
  );

const planOf = (
  name: string,
  servers: Readonly<Record<string, Server>>,
  yesItIsDead = false,
  asked?: (name: string, request: ActionRequest) => void,
): Promise<ActionPlan> => promotion(name, hostsOf(servers, asked), yesItIsDead, [arbitrator]);

describe('promote in a Galera cluster', () => {
  it('says in the inventory which member proxies prefer, and tells them', async () => {
    const plan = await planOf('web3', {});
    expect(plan.steps).toEqual([]);
    expect(plan.sets).toEqual([{ name: 'mysql_primary', value: 'web3', group: 'db' }]);
    expect(plan.apply?.roles).toContain('database_proxy');
    expect(plan.consent).toBeUndefined();
    expect(await plan.verify()).toBe('web3 takes the writes');
  });

  it.each([
    ['it does not answer', { web3: { silent: 'down' } }, 'does not answer'],
    ['it is in no cluster', { web3: { alone: true } }, 'is in no cluster'],
    ['it copies data', { web3: { state: 'Joining' } }, 'not in step with its cluster (Joining)'],
    ['it is cut off from the others', { web3: { cutOff: true } }, 'outside of the cluster, in which web2 is'],
    [
      'nobody has a majority, and both answer',
      { web2: { cutOff: true }, web3: { cutOff: true } },
      'web3 has no majority, and web2 answers too',
    ],
  ] as const)('refuses where %s', async (_, servers, message) => {
    await expect(planOf('web3', servers)).rejects.toMatchObject({
      code: 'E_REFUSED',
      message: expect.stringContaining(message) as string,
    });
  });

  it('lets the last one go on alone only by the word of a person', async () => {
    const asked: string[] = [];
    const servers = { web2: { silent: 'unreachable' }, web3: { cutOff: true } } as const;
    const plan = await planOf('web3', servers, false, (_, { stdin }) => {
      asked.push(String(stdin ?? ''));
    });
    expect(plan.consent).toMatchObject({ word: 'web2', argument: 'yesItIsDead' });
    expect(plan.apply?.without).toEqual(['web2']);
    expect(asked.join()).not.toContain('pc.bootstrap');
    await plan.steps[0]?.run();
    expect(asked.join()).toContain("'pc.bootstrap=YES'");
    await expect(planOf('web3', {}, true)).rejects.toThrow('there is a cluster with a majority');
  });
});

describe('status of a Galera cluster', () => {
  const seen = (servers: Readonly<Record<string, Server>>) => statusOf(hostsOf(servers), [arbitrator]);
  const table = async (servers: Readonly<Record<string, Server>>) =>
    (await seen(servers)).rows.map((row) => Object.values(row));

  it('shows who takes the writes, who could, and who is outside', async () => {
    expect(await table({})).toEqual([
      ['web2', 'writes', 'Synced', 3, 77, 4],
      ['web3', 'ready', 'Synced', 3, 77, 4],
    ]);
    expect((await seen({})).remarks).toEqual([]);
    expect(await table({ web2: { cutOff: true, state: 'Initialized', size: 1 } })).toEqual([
      ['web2', 'cut off', 'Initialized', 1, 77, 4],
      ['web3', 'writes', 'Synced', 3, 77, 4],
    ]);
    expect(await table({ web2: { alone: true }, web3: { silent: 'unreachable' } })).toEqual([
      ['web2', 'in no cluster', null, null, null, null],
      ['web3', 'unreachable', null, null, null, null],
    ]);
    expect(await table({ web2: { state: 'Donor/Desynced' }, web3: { state: 'Joining' } })).toMatchObject([
      ['web2', 'writes', 'Donor/Desynced', 3, 77, 4],
      ['web3', 'not in step', 'Joining', 3, 77, 4],
    ]);
  });

  it('says what is missing', async () => {
    expect((await seen({ web2: { silent: 'down' }, web3: { size: 2 } })).remarks).toEqual([
      '2 of 3 members are in the cluster: the loss of one more may end the writes',
      'web3 takes the writes until web2 is back',
    ]);
    expect((await seen({ web2: { silent: 'down' }, web3: { cutOff: true } })).remarks).toEqual([
      'no server takes writes',
      'no server is in a cluster with a majority: run `hostwright apply`, which begins one where that is safe',
    ]);
    expect((await seen({ web3: { cluster: 'c2' } })).remarks?.[0]).toContain('are in different clusters');
  });
});
