import { describe, expect, it } from 'vitest';
import { columns, remarksOf, seeAll, status } from '../../roles/mysql/actions-status.ts';
import { parseBackups } from '../../roles/mysql/backup-status.ts';
import { parseServerState } from '../../roles/mysql/server-state.ts';
import type { Variables } from '../../roles/mysql/variables.ts';
import type { ActionHost, ActionPlan, ActionRequest, Script } from '../../src/index.ts';
import { databaseHosts, promotion } from './database-hosts.ts';

/** What a server says; `follows` the address of another. */
interface Server {
  readonly writes?: boolean;
  readonly follows?: string;
  readonly threads?: 'Yes' | 'No';
  readonly lag?: number;
  /** Seconds since it has heard of its source. */
  readonly heard?: number | null;
  readonly semiSync?: string;
  /** What its source sends does not arrive in time, whatever it says of its lag. */
  readonly late?: boolean;
  /** Transactions that its source lacks. */
  readonly errant?: string;
  readonly silent?: 'down' | 'unreachable';
  readonly flavor?: 'mysql' | 'mariadb';
}

function stateOf({
  writes = false,
  follows,
  threads = 'Yes',
  lag = 0,
  heard = null,
  semiSync,
  silent,
  flavor,
}: Server): string {
  if (silent === 'down') return "down ERROR 2002 (HY000): Can't connect\n";
  const [side, source] = flavor === 'mariadb' ? ['Slave', 'Master'] : ['Replica', 'Source'];
  const name = `rpl_semi_sync_${(follows === undefined ? source : side).toLowerCase()}_status`;
  const row = {
    ...{ readOnly: writes ? 0 : 1, offline: 0, executed: flavor === 'mariadb' ? '0-1-5' : 'uuid:1-5' },
    semiSync: semiSync === undefined ? null : { [name]: semiSync },
    ...(flavor === 'mariadb' ? {} : { heard }),
  };
  const status =
    follows === undefined
      ? []
      : [
          `${source}_Host: ${follows}`,
          `${side}_IO_Running: ${threads}`,
          `${side}_SQL_Running: ${threads}`,
          `Seconds_Behind_${source}: ${threads === 'No' ? 'NULL' : lag}`,
          `Last_IO_Error: ${threads === 'No' ? 'Access denied' : ''}`,
        ];
  return [`row ${JSON.stringify(row)}`, ...status.map((line) => `status ${line}`)].join('\n');
}

function site(servers: Readonly<Record<string, Server>>): readonly ActionHost<Variables>[] {
  const errantOf = (name: string) => Object.values(servers).find((one) => one.follows === name)?.errant ?? '';
  return databaseHosts(
    Object.keys(servers),
    (name) => ({ mysql_flavor: servers[name]?.flavor }),
    (name, { stdin = '' }) => {
      const server = servers[name] ?? {};
      const text = String(stdin);
      if (server.silent === 'unreachable') return undefined;
      if (/^SELECT (WAIT_FOR|MASTER_GTID_WAIT)/.test(text)) return `${server.late === true ? 1 : 0}\n`;
      if (text.startsWith('SELECT CONCAT(@@global.gtid')) return '0-1-5\n';
      if (text.includes('GTID_SUBTRACT')) return `${errantOf(name)}\n`;
      return text.includes('mysql.user') ? '1\n' : stateOf(server);
    },
  );
}

const plan = (servers: Readonly<Record<string, Server>>, yesItIsDead = false): Promise<ActionPlan> =>
  promotion('b', site(servers), yesItIsDead);

const titles = ({ steps }: ActionPlan) => steps.map(({ host, title }) => `${host}: ${title}`);

describe('do mysql status', () => {
  it('shows who writes, who follows, and how that goes', async () => {
    const all = await seeAll(
      site({
        a: { writes: true, semiSync: 'ON' },
        b: { follows: 'a', lag: 3, semiSync: 'ON', errant: 'uuid:9' },
        c: { follows: 'a', threads: 'No', flavor: 'mysql' },
        d: { silent: 'down' },
        e: { silent: 'unreachable' },
      }),
    );
    expect(all.map((seen) => columns.map(({ cell }) => cell(seen)))).toEqual([
      ['a', 'writes', null, null, 'on', null],
      ['b', 'read-only', 'a', '3 s', 'on', 'some'],
      ['c', 'read-only', 'a', 'stopped', null, 'some'],
      ['d', 'down', null, null, null, null],
      ['e', 'unreachable', null, null, null, null],
    ]);
    expect(remarksOf(all)).toEqual([
      'b has transactions that a lacks: uuid:9',
      'c cannot receive: Access denied',
      'c has transactions that a lacks: uuid:9',
      "d: ERROR 2002 (HY000): Can't connect",
      'e: no way there',
    ]);
  });

  it('says of no writer, and of two', async () => {
    const said = async (servers: Readonly<Record<string, Server>>) => remarksOf(await seeAll(site(servers)));
    expect(await said({ a: {}, b: { follows: 'a' } })).toEqual(['no server takes writes']);
    expect((await said({ a: { writes: true }, b: { writes: true } }))[0]).toMatch(
      /^a and b both take writes/,
    );
  });

  it('shows the last copy and its test where the site has backups, and no column where not', async () => {
    const hosts = site({ a: { writes: true }, b: { follows: 'a' } }).map((host) => ({
      ...host,
      run: (script: Script, request?: ActionRequest) =>
        script.text.includes('/record/last.now')
          ? Promise.resolve('now 100000\ncopy 89000 4711\ntest 99990 0\n')
          : host.run(script, request),
    }));
    const rows = async (declared: readonly object[]) => {
      if (status.read === undefined || status.on !== 'site') throw new Error('it does not read');
      const found = { hosts: () => hosts, declared: () => declared as never };
      return (await status.read({ args: {}, hosts, site: found })).rows;
    };
    const backup = { kind: 'backup', record: '/record' };
    expect(
      await rows([
        { ...backup, host: hosts[0], sends: false, tests: false },
        { ...backup, host: hosts[1], sends: true, tests: true },
      ]),
    ).toMatchObject([
      { host: 'a', 'last backup': null, 'last restore test': null },
      { host: 'b', 'last backup': '3 h ago', 'last restore test': 'failed, 10 s ago' },
    ]);
    expect(Object.keys((await rows([]))[0] ?? {})).not.toContain('last backup');
  });

  it('says none where no copy was made yet', async () => {
    expect(parseBackups('now 5\n')).toEqual({ copy: undefined, test: undefined });
  });

  it('reads both flavors', () => {
    const server = { follows: '10.0.0.2', lag: 7, semiSync: 'ON' };
    const expected = {
      readOnly: true,
      semiSync: 'on',
      following: { source: '10.0.0.2', receives: 'on', lag: 7 },
    };
    for (const flavor of ['mysql', 'mariadb'] as const) {
      expect(parseServerState(stateOf({ ...server, flavor }))).toMatchObject(expected);
    }
  });
});

describe('do mysql promote', () => {
  it('has the old one receive, closes it, waits and switches, then sets mysql_primary', async () => {
    const found = await plan({ a: { writes: true }, b: { follows: 'a' } });
    expect(titles(found)).toEqual([
      'a: receive from b',
      'a: close it for writes',
      'b: wait for all of a, then take writes',
      'a: follow b',
    ]);
    expect(found).toMatchObject({ sets: [{ name: 'mysql_primary', value: 'b', group: 'db' }] });
    expect(found.consent).toBeUndefined();
  });

  it('has the old one follow only after the switch, with MariaDB', async () => {
    const found = await plan({
      a: { writes: true, flavor: 'mariadb' },
      b: { follows: 'a', flavor: 'mariadb' },
    });
    expect(titles(found)).toEqual([
      'a: close it for writes',
      'b: wait for all of a, then take writes',
      'a: follow b',
    ]);
  });

  it('goes on where the old one receives from it already, or was closed', async () => {
    expect(titles(await plan({ a: { writes: true, follows: 'b' }, b: { follows: 'a' } }))).toHaveLength(4);
    expect(titles(await plan({ a: {}, b: { follows: 'a' } }))).toHaveLength(4);
  });

  it('finishes what is left where it takes writes already', async () => {
    const done = await plan({ a: { follows: 'b' }, b: { writes: true } });
    expect(titles(done)).toEqual([]);
    expect(done.sets).toMatchObject([{ value: 'b' }]);
    expect(titles(await plan({ a: {}, b: { writes: true } }))).toEqual(['a: follow b']);
  });

  it.each([
    ['it is behind', { a: { writes: true }, b: { follows: 'a', lag: 60 } }, /b is behind a/],
    ['it hears nothing', { a: { writes: true }, b: { follows: 'a', heard: 20 } }, /b is behind a/],
    ['it receives too slowly', { a: { writes: true }, b: { follows: 'a', late: true } }, /b is behind a/],
    [
      'it does not receive',
      { a: { writes: true }, b: { follows: 'a', threads: 'No' } },
      /b does not follow a/,
    ],
    [
      'it has transactions of its own',
      { a: { writes: true }, b: { follows: 'a', errant: 'u:1' } },
      /that a lacks/,
    ],
    ['it follows nobody', { a: { writes: true }, b: {} }, /follows no server of the site/],
    ['both take writes', { a: { writes: true }, b: { writes: true } }, /both take writes/],
    ['a third takes writes', { a: {}, b: { follows: 'a' }, c: { writes: true } }, /c takes writes/],
    ['its server does not answer', { a: { writes: true }, b: { silent: 'down' } }, /does not answer/],
  ] as const)('refuses where %s', async (_, servers, message) => {
    await expect(plan(servers)).rejects.toMatchObject({
      code: 'E_REFUSED',
      message: expect.stringMatching(message),
    });
  });

  it('wants the word of a person where the old one does not answer, and leaves it out of the apply', async () => {
    const found = await plan({ a: { silent: 'unreachable' }, b: { follows: 'a' } });
    expect(titles(found)).toEqual(['b: apply all that was received from a, then take writes']);
    expect(found.consent).toMatchObject({ word: 'a', argument: 'yesItIsDead' });
    expect(found.apply?.without).toEqual(['a']);
    expect(found.remarks?.join()).toContain('what a has acknowledged and b has not received is lost');
  });

  it('ends a server that does not answer, on a host that does', async () => {
    const found = await plan({ a: { silent: 'down' }, b: { follows: 'a' } });
    expect(titles(found)[0]).toBe('a: stop its server, which does not answer');
    expect(found.apply?.without).toEqual([]);
  });

  it('takes no word for a server that answers', async () => {
    await expect(plan({ a: { writes: true }, b: { follows: 'a' } }, true)).rejects.toMatchObject({
      code: 'E_REFUSED',
      message: 'a answers: it is not dead',
    });
  });
});
