import { describe, expect, it } from 'vitest';
import type { ActionPlan } from '../../src/index.ts';
import { databaseHosts, promotion, statusOf } from './database-hosts.ts';

const group = '67726f75-7020-4f66-9064-617461626173';

interface Server {
  readonly last?: number;
  /** GTIDs that it has beside. */
  readonly own?: string;
  /** In a group with these; outside of one without. */
  readonly with?: readonly string[];
  readonly state?: string;
  readonly silent?: 'down' | 'unreachable';
}

const names = ['web1', 'web2', 'web3'];
const primary = 'web1';

function answerOf(name: string, { last = 9, own, with: others, state = 'OFFLINE' }: Server): string {
  const members = (others ?? [name]).map((id) => ({
    ...{ id, address: id, state: others === undefined ? state : 'ONLINE' },
    role: others === undefined ? '' : id === primary ? 'PRIMARY' : 'SECONDARY',
  }));
  const executed = [`${group}:1-${last}`, ...(own === undefined ? [] : [own])].join(',');
  const server = {
    uuid: name,
    executed,
    received: null,
    databases: ['shop'],
    keyless: null,
    follows: null,
    members,
  };
  return `data\nserver ${JSON.stringify(server)}\n`;
}

const hostsOf = (servers: Readonly<Record<string, Server>>) =>
  databaseHosts(
    names,
    () => ({ mysql_topology: 'group' }),
    (name) => {
      const server = servers[name] ?? {};
      if (server.silent === 'unreachable') return undefined;
      return server.silent === 'down' ? 'data\n' : answerOf(name, server);
    },
  );

const planOf = (
  name: string,
  servers: Readonly<Record<string, Server>>,
  yesItIsDead = false,
): Promise<ActionPlan> => promotion(name, hostsOf(servers), yesItIsDead);

const titles = (plan: ActionPlan): readonly string[] => plan.steps.map(({ title }) => title);

const whole = { web1: { with: names }, web2: { with: names }, web3: { with: names } };
const two = ['web1', 'web2'];

describe('promote in a group', () => {
  it('hands over the writes to a member, and says so in the inventory', async () => {
    const plan = await planOf('web2', whole);
    expect(titles(plan)).toEqual(['take the writes of the group']);
    expect(plan.sets).toEqual([{ name: 'mysql_primary', value: 'web2', group: 'db' }]);
    expect(plan.consent).toBeUndefined();
    expect((await planOf('web1', whole)).steps).toEqual([]);
  });

  it('begins no group beside one that is there', async () => {
    const servers = { web1: { with: two }, web2: { with: two }, web3: {} };
    await expect(planOf('web3', servers, true)).rejects.toThrow(
      'web3 is outside of the group, in which web1 is',
    );
    await expect(planOf('web2', servers, true)).rejects.toThrow('there is a group with a majority');
    await expect(planOf('web3', { web2: { state: 'RECOVERING' } })).rejects.toThrow(
      'web2 waits for a majority',
    );
  });

  it('begins the group again where a person says that the silent ones are dead', async () => {
    const plan = await planOf('web2', { web1: { silent: 'unreachable' }, web3: { silent: 'down' } });
    expect(titles(plan)).toEqual(['begin the group again with what it has']);
    expect(plan.consent).toMatchObject({ word: 'web1,web3', argument: 'yesItIsDead' });
    expect(plan.apply?.without).toEqual(['web1']);
  });

  it('refuses one that lacks what another has, unless each lacks something', async () => {
    await expect(planOf('web2', { web1: { last: 10 } })).rejects.toThrow(
      'web1 has all that web2 has, and more',
    );
    const plan = await planOf('web2', { web1: { last: 10 }, web2: { own: 'web2-number:1-2' } });
    expect(plan.remarks).toEqual([`web2 lacks what web1 has, which cannot join with it: ${group}:10`]);
    await expect(planOf('web2', {}, true)).rejects.toThrow('all servers answer: none is dead');
  });
});

describe('status of a group', () => {
  it('shows who takes writes, who is outside, and what the group lacks', async () => {
    const hosts = hostsOf({
      ...{ web1: { with: two }, web2: { with: two, last: 8 } },
      web3: { own: 'web3-number:1-2' },
    });
    const { rows, remarks } = await statusOf(hosts);
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['web1', 'writes', 'ONLINE', '2 of 2', 9, null],
      ['web2', 'read-only', 'ONLINE', '2 of 2', 8, null],
      ['web3', 'read-only', 'OFFLINE', null, 11, 'some'],
    ]);
    expect(remarks).toEqual([
      '2 of 3 members are in the group: the loss of one more may end the writes',
      'web3 has transactions that the group lacks: web3-number:1-2',
    ]);
  });
});
