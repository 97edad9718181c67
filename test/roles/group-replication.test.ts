import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { groupStartOf, writerIn } from '../../roles/mysql/group-replication-start.ts';
import mysql from '../../roles/mysql/role.ts';
import type { GroupStart } from '../../src/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { contextOf, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const hosts = ['web1', 'web2', 'web3'].map((name, index) => ({
  name,
  address: `10.0.0.${index + 1}`,
  groups: ['db'],
}));

const group = '67726f75-7020-4f66-9064-617461626173';
const numbers: Readonly<Record<string, string>> = {
  web1: '198c0580-e60b-11f1-9937-720946ded47a',
  web2: 'fc57667d-e60a-11f1-bbb6-27b3abd1fe00',
  web3: '0af8c1c2-e60a-11f1-bbb6-27b3abd1fe00',
};

interface Server {
  readonly executed?: string;
  readonly received?: string;
  readonly databases?: readonly string[];
  /** As it sees all members; without them it is outside of a group. */
  readonly sees?: Readonly<Record<string, string>>;
  readonly primary?: string;
  readonly state?: 'OFFLINE' | 'ERROR' | 'RECOVERING';
  /** The address of the server that it follows. */
  readonly follows?: string;
  readonly keyless?: readonly string[];
}

const bare = '';
const stopped = 'data\n';

/** What a host answers whose server runs. */
function runs(
  name: string,
  { executed = '', received, databases = ['shop'], sees, follows, keyless, ...rest }: Server,
): string {
  const seen = sees ?? { [name]: rest.state ?? 'OFFLINE' };
  const members = Object.entries(seen).map(([member, state]) => ({
    id: numbers[member],
    address: hosts.find((host) => host.name === member)?.address,
    ...{ state, role: member === rest.primary ? 'PRIMARY' : 'SECONDARY' },
  }));
  const server = {
    uuid: numbers[name],
    executed,
    received: received ?? null,
    databases,
    keyless: keyless ?? null,
    follows: follows ?? null,
    members,
  };
  return `data\nserver ${JSON.stringify(server)}\n`;
}

type Answers = Readonly<Record<string, string | Server>>;

function membersOf(answers: Answers, discards: Readonly<Record<string, string>> = {}) {
  return hosts.map((host) => {
    const answer = answers[host.name];
    const discard = discards[host.name];
    return { host, answer: typeof answer === 'object' ? runs(host.name, answer) : answer, discard };
  });
}

/** How web1, web2 and web3 get into the group, where web1 begins if nobody has more. */
function starts(answers: Answers, discards?: Readonly<Record<string, string>>): readonly GroupStart[] {
  return hosts.map(({ name }) => groupStartOf(name, 'web1', membersOf(answers, discards)));
}

const kinds = (answers: Answers): readonly string[] => starts(answers).map(({ kind }) => kind);

const has = (last: number, rest: Server = {}): Server => ({ executed: `${group}:1-${last}`, ...rest });
/** What web2 alone has. */
const own = `${numbers['web2']}:1-2`;
const online = (sees: Readonly<Record<string, string>>, last = 9): Server =>
  has(last, { sees, primary: 'web2' });
const whole = { web1: 'ONLINE', web2: 'ONLINE', web3: 'ONLINE' };

describe('which member begins a group', () => {
  test('the first, where none has data', () => {
    expect(kinds({ web1: bare, web2: bare, web3: bare })).toEqual(['begin', 'join', 'join']);
  });

  test('none, while one is in a group, whatever the others have', () => {
    for (const web1 of [bare, stopped, has(9), has(3)]) {
      const sees = { web2: 'ONLINE', web3: 'ONLINE' };
      expect(kinds({ web1, web2: online(sees), web3: online(sees) })).toEqual(['join', 'join', 'join']);
    }
    const alone = { web2: 'ONLINE' };
    expect(kinds({ web1: has(9), web2: online(alone), web3: has(9) })).toEqual(['join', 'join', 'join']);
    expect(kinds({ web2: online(alone) })).toEqual(['join', 'join', 'join']);
  });

  test('none, while one is in a group in which another one recovers: that one has a vote', () => {
    const web2 = online({ web2: 'ONLINE', web3: 'RECOVERING' });
    const [first, , third] = starts({ web1: has(3), web2, web3: has(3, { state: 'RECOVERING' }) });
    for (const start of [first, third]) expect(start).toMatchObject({ kind: 'join', from: { name: 'web2' } });
  });

  test('none, while one calls itself online without a majority, or recovers', () => {
    const cut = { web1: 'UNREACHABLE', web2: 'ONLINE', web3: 'UNREACHABLE' };
    for (const web2 of [online(cut), has(9, { state: 'RECOVERING' })]) {
      const [first, second] = starts({ web1: has(9), web2, web3: has(9) });
      for (const start of [first, second])
        expect(start).toMatchObject({ kind: 'join', reason: expect.stringContaining('web2 is in one') });
    }
  });

  test.each([
    ['web3', { web1: bare, web2: bare }],
    ['web1', { web2: has(9), web3: has(9) }],
    ['web2', { web1: has(9), web3: has(9) }],
  ])('none, while %s does not answer, and the table says who has what', (silent, answers) => {
    for (const start of starts(answers)) {
      expect(start).toMatchObject({
        kind: 'join',
        reason: expect.stringContaining(`not known without ${silent}`),
      });
      expect(start).toMatchObject({ reason: expect.stringContaining(`${silent}: did not answer`) });
      expect(start).toMatchObject({ reason: expect.stringContaining('do mysql promote HOST') });
    }
  });

  test('none, while a server with data does not run: what it has is not known', () => {
    expect(starts({ web1: has(9), web2: stopped, web3: has(9) })[0]).toMatchObject({
      kind: 'join',
      reason: expect.stringContaining('what web2 has is not known'),
    });
  });

  test('the one that holds all, of what it executed and of what it received', () => {
    expect(kinds({ web1: has(7), web2: has(9), web3: has(8) })).toEqual(['join', 'begin', 'join']);
    const web3 = has(5, { received: `${group}:6-9` });
    expect(kinds({ web1: has(7), web2: has(8), web3 })).toEqual(['join', 'join', 'begin']);
    expect(starts({ web1: has(7), web2: has(8), web3 })[2]).toEqual({
      kind: 'begin',
      held: `${group}:1-5,${group}:6-9`,
    });
    expect(kinds({ web1: has(9), web2: has(9), web3: has(9) })).toEqual(['begin', 'join', 'join']);
    // It was emptied, or installed anew.
    const fresh = { executed: `${numbers['web1']}:1-2`, databases: [] };
    for (const web1 of [bare, fresh])
      expect(kinds({ web1, web2: has(8), web3: has(9) })).toEqual(['join', 'join', 'begin']);
  });

  test('none, where each lacks something: who has how much more than whom is for a person', () => {
    const web2 = { executed: `${group}:1-9,${own}` };
    for (const start of starts({ web1: has(10), web2, web3: has(9) })) {
      expect(start).toMatchObject({
        kind: 'refuse',
        reason: expect.stringContaining('web1: OFFLINE, 10 transactions, 1 that web2 lacks'),
      });
      expect(start).toMatchObject({
        reason: expect.stringContaining(`web2: OFFLINE, 11 transactions, 2 that web1 lacks (${own})`),
      });
      expect(start).toMatchObject({ reason: expect.stringContaining('Set mysql_discard_transactions') });
    }
  });

  test('one without what another one alone has, once that is given up: it joins and gets a copy', () => {
    const answers = { web1: has(9), web2: { executed: `${group}:1-7,${own}` }, web3: has(8) };
    expect(kinds(answers)).toEqual(['refuse', 'refuse', 'refuse']);
    for (const discards of [{ web2: own }, { web1: own, web2: own.toUpperCase(), web3: own }]) {
      expect(starts(answers, discards)).toMatchObject([
        { kind: 'begin', held: `${group}:1-9` },
        { kind: 'join', own, from: { name: 'web1', address: '10.0.0.1' } },
        { kind: 'join', own: '' },
      ]);
    }
    for (const discards of [{ web1: own }, { web2: `${numbers['web2']}:1` }]) {
      expect(starts(answers, discards).map(({ kind }) => kind)).toEqual(['refuse', 'refuse', 'refuse']);
    }
    // It holds all: nothing need be lost, but may be.
    const most = { ...answers, web2: { executed: `${group}:1-9,${own}` } };
    expect(kinds(most)).toEqual(['join', 'begin', 'join']);
    expect(starts(most, { web2: own }).map(({ kind }) => kind)).toEqual(['begin', 'join', 'join']);
  });

  test('none that would replace databases which stand in no history', () => {
    const web2 = { databases: ['old'] };
    expect(kinds({ web1: has(9), web2, web3: bare })).toEqual(['refuse', 'refuse', 'refuse']);
    expect(kinds({ web1: bare, web2, web3: bare })).toEqual(['join', 'begin', 'join']);
    const sees = { web1: 'ONLINE', web3: 'ONLINE' };
    expect(kinds({ web1: online(sees), web2, web3: online(sees) })).toEqual(['join', 'refuse', 'join']);
  });
});

test('a member with transactions that the group lacks is told apart from one that lacks some', () => {
  const sees = { web2: 'ONLINE', web3: 'ONLINE' };
  const others = { web2: online(sees, 9), web3: online(sees, 8) };
  expect(starts({ web1: has(8), ...others })[0]).toMatchObject({ kind: 'join', own: '' });
  const more = `${numbers['web1']}:1-2`;
  expect(starts({ web1: { executed: `${group}:1-9,${more}` }, ...others })[0]).toMatchObject({
    ...{ kind: 'join', own: more, from: { name: 'web2', address: '10.0.0.2' } },
  });
});

describe('a running primary with its replica, and a third host', () => {
  const primary = (last: number): Server => ({ executed: `${numbers['web1']}:1-${last}` });
  const replica = (last: number, more = ''): Server => ({
    executed: `${numbers['web1']}:1-${last}${more}`,
    follows: '10.0.0.1',
  });

  test('become a group that the primary begins, in either order of answers', () => {
    for (const web2 of [replica(7), replica(9)]) {
      expect(kinds({ web1: primary(8), web2, web3: bare })).toEqual(['begin', 'join', 'join']);
      expect(starts({ web1: primary(8), web2, web3: bare })[1]).toMatchObject({ kind: 'join', own: '' });
    }
  });

  test('stay as they are while the replica has what the primary lacks, until that is given up', () => {
    const answers = { web1: primary(8), web2: replica(8, `,${own}`), web3: bare };
    for (const start of starts(answers)) {
      expect(start).toMatchObject({ kind: 'refuse', reason: expect.stringContaining(own) });
      expect(start).not.toMatchObject({ reason: expect.stringContaining('promote') });
    }
    expect(starts(answers, { web2: own })).toMatchObject([
      { kind: 'begin' },
      { kind: 'join', own },
      { kind: 'join' },
    ]);
  });

  test('stay as they are while a table has no primary key', () => {
    const web1 = { ...primary(8), keyless: ['shop.log'] };
    for (const start of starts({ web1, web2: replica(8), web3: bare })) {
      expect(start).toMatchObject({
        kind: 'refuse',
        reason: expect.stringContaining('no primary key: shop.log'),
      });
    }
  });

  test('stay as they are while another one is the primary than the inventory says', () => {
    const web1 = { ...primary(8), follows: '10.0.0.2' };
    for (const start of starts({ web1, web2: primary(9), web3: bare })) {
      expect(start).toMatchObject({
        kind: 'refuse',
        reason: expect.stringContaining(
          'web1 follows web2, and the inventory says that web1 takes the writes',
        ),
      });
    }
  });
});

test('who takes the writes is what a member with a majority says', () => {
  expect(writerIn(membersOf({ web3: online(whole) }))).toBe('10.0.0.2');
  const cut = { web1: 'UNREACHABLE', web2: 'ONLINE', web3: 'UNREACHABLE' };
  expect(writerIn(membersOf({ web2: online(cut) }))).toBeUndefined();
});

const variables = {
  mysql_topology: 'group',
  mysql_replication_password: 'Repl1',
  mysql_seed_password: 'Seed1',
  mysql_observer_password: 'Obs1',
};

function on(host: string, given: RoleCase = {}): readonly Resource[] {
  const address = hosts.find(({ name }) => name === host)?.address ?? '';
  return resourcesOf(mysql, { host, hosts, facts: { addresses: [address] }, variables, ...given });
}

const contentOf = (resources: readonly Resource[], path: string): string =>
  ofType(resources, 'file')
    .filter((file) => 'path' in file && file.path === path)
    .map((file) => ('content' in file ? String(file.content) : ''))
    .join('');

describe('mysql_topology: group with mysql_flavor: mysql', () => {
  test('tells all members of each other, over TLS, and lets none of them write or begin by itself', () => {
    const text = contentOf(on('web3'), '/etc/mysql/mysql.conf.d/zz-hostwright.cnf');
    expect(text).toContain('group_replication_group_seeds = 10.0.0.1:3306,10.0.0.2:3306,10.0.0.3:3306\n');
    expect(text).toContain('group_replication_local_address = 10.0.0.3:3306\n');
    expect(text).toContain('group_replication_ssl_mode = VERIFY_IDENTITY\n');
    expect(text).toContain('group_replication_bootstrap_group = OFF\n');
    expect(text).toMatch(/^super_read_only = ON$/m);
    expect(text).toMatch(/^relay_log_recovery = OFF$/m);
    expect(text).toMatch(/^group_replication_flow_control_applier_threshold = 500$/m);
    expect(text).not.toContain('Repl1');
    expect(contentOf(on('web3'), '/usr/local/lib/hostwright/mysql-join')).not.toMatch(/bootstrap_group = ON/);
  });

  test('has accounts and databases on the member that takes the writes, else on the first', () => {
    const accountsOn = (observed?: RoleCase['observed']): readonly string[] =>
      hosts
        .map(({ name }) => name)
        .filter(
          (name) => ofType(on(name, observed === undefined ? {} : { observed }), 'mysql_user').length > 0,
        );
    expect(accountsOn()).toEqual(['web1']);
    expect(accountsOn({ 'mysql group': { web3: runs('web3', online(whole)) } })).toEqual(['web2']);
    const last = Object.fromEntries(hosts.map(({ name }, index) => [name, runs(name, has(5 + index))]));
    expect(accountsOn({ 'mysql group': last })).toEqual(['web3']);
    for (const host of ['web1', 'web2', 'web3'])
      expect(ofType(on(host), 'mysql_group_member')).toMatchObject([{ name: host, user: 'replication' }]);
  });

  test('leaves a server as it is that takes writes or follows, while no group can be begun', () => {
    const guardOf = (host: string, answers: Answers, opener = true): string => {
      const texts = membersOf(answers).flatMap(({ host: { name }, answer }) =>
        answer === undefined ? [] : [[name, `${answer}${opener ? 'opener=yes\n' : ''}`]],
      );
      const observed = { 'mysql group': Object.fromEntries(texts) as Record<string, string> };
      return JSON.stringify(
        ofType(on(host, { observed }), 'service').map((one) => ('validate' in one ? one.validate : '')),
      );
    };
    const follows = (more = ''): Server => ({
      executed: `${numbers['web1']}:1-8${more}`,
      follows: '10.0.0.1',
    });
    const primary = { executed: `${numbers['web1']}:1-8` };
    const refused = { web1: primary, web2: follows(`,${own}`), web3: bare };
    for (const name of ['web1', 'web2']) {
      expect(guardOf(name, refused)).toContain('none of them holds all');
      expect(guardOf(name, { web1: primary, web2: follows() })).toContain('web3: did not answer');
      expect(guardOf(name, { ...refused, web2: follows() })).not.toContain('cannot be begun');
    }
    // A member of before is outside of its group anyway.
    expect(guardOf('web1', { web1: has(9), web2: has(9) }, false)).not.toContain('cannot be begun');
  });

  test('needs three hosts with data', () => {
    expect(() => on('web2', { hosts: hosts.slice(1) })).toThrow('mysql_topology: group has 2 members');
  });

  test('the default has nothing of it', () => {
    const resources = on('web2', { variables: { ...variables, mysql_topology: 'primary_replica' } });
    expect(ofType(resources, 'mysql_group_member')).toEqual([]);
    expect(JSON.stringify(resources)).not.toContain('mysql-join');
  });
});

describe('mysql_topology: primary_replica of what was a group', () => {
  const before = { ...variables, mysql_topology: 'primary_replica' };
  const seenBy = (primary: string): NonNullable<RoleCase['observed']> => ({
    'mysql group': Object.fromEntries(hosts.map(({ name }) => [name, runs(name, { sees: whole, primary })])),
  });
  const as = (host: string, given: RoleCase = {}): readonly Resource[] =>
    on(host, { variables: before, ...given });

  test('removes what joined the members again', () => {
    for (const { name } of hosts) {
      const found = ofType(as(name, { observed: seenBy('web1') }), 'unit');
      expect(found).toContainEqual(expect.objectContaining({ name: 'mysql-join.timer', absent: true }));
      expect(JSON.stringify(as(name))).not.toContain('mysql-join');
    }
  });

  test('has the server as primary that takes the writes of the group, and no other', () => {
    expect(() => as('web2', { observed: seenBy('web3') })).toThrow(
      'web3 takes the writes of the group, and the inventory says that web1 does',
    );
    const named = { ...before, mysql_primary: 'web3' };
    expect(() => as('web2', { variables: named, observed: seenBy('web3') })).not.toThrow();
  });

  test.each([
    ['web1', '', 'passed'],
    ['web1', 'own 10.0.0.1 PRIMARY', 'passed'],
    ['web1', 'own 10.0.0.1 PRIMARY\\nother 10.0.0.2 SECONDARY', 'others are still in'],
    ['web2', 'other 10.0.0.1 PRIMARY\\nown 10.0.0.2 SECONDARY', 'passed'],
    ['web2', 'other 10.0.0.3 PRIMARY\\nown 10.0.0.2 SECONDARY', 'of which 10.0.0.3 takes the writes'],
  ])('lets %s leave a group that it sees as "%s": %s', (host, seen, said) => {
    const [service] = ofType(as(host), 'service');
    const command: unknown = service !== undefined && 'validate' in service ? service.validate : undefined;
    const script = Array.isArray(command) ? String(command[2]) : '';
    // The client of the database, and what the server itself validates.
    const text = `timeout() { ${seen === '' ? 'exit 1' : `printf '${seen}\\n'`}; }\n${script.replace(/\nexec .*$/, '\necho passed')}`;
    expect(execFileSync('sh', ['-c', 'sh -euc "$0" 2>&1 || :', text], { encoding: 'utf8' })).toContain(said);
  });

  test('changes the primary last', () => {
    const ranks = (observed: RoleCase['observed'], of = before) =>
      hosts.map(({ name }) =>
        mysql.rank?.(
          contextOf(mysql.variables.parse(of), { host: name, hosts, ...(observed && { observed }) }, 'mysql'),
        ),
      );
    expect(ranks(seenBy('web1'))).toEqual([1, 0, 0]);
    expect(ranks(undefined)).toEqual([0, 0, 0]);
    const off = Object.fromEntries(hosts.map(({ name }, index) => [name, runs(name, has(5 + index))]));
    expect(ranks({ 'mysql group': off }, variables)).toEqual([0, 0, -1]);
  });
});
