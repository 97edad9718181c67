import { describe, expect, test } from 'vitest';
import { mysqlDatabase, mysqlPrimary, mysqlUser } from '../../../src/index.ts';
import { parseProbes, probeBatches } from '../../../src/plan/probe.ts';
import { Unreadable } from '../../../src/resources/state.ts';
import { placed } from '../../../src/testing/index.ts';

const flavor = 'mysql';
const resources = [
  mysqlPrimary('web2', { flavor }),
  mysqlDatabase('shop', { flavor }),
  mysqlUser('prometheus', 'localhost', { flavor, socket: true }),
].map((resource) => placed(resource));

/** What is found of the three where the one client of all prints that. */
function found(...printed: readonly string[]): readonly unknown[] {
  const batches = probeBatches(resources);
  expect(batches).toHaveLength(1);
  const answer = { code: 0, stdout: Buffer.from(`${printed.join('\n')}\n`), stderr: Buffer.alloc(0) };
  const states = parseProbes(batches, [answer]);
  return resources.map(({ id }) => states.get(id));
}

const primary = [
  'ready',
  '{"readOnly": 0, "executed": "686f7374-7772-6967-6874-0123456789ab:1", "waits": null, "patience": null, "replicas": null}',
];
const database = ['ready', '{"name": "shop", "charset": "utf8mb4", "collation": "utf8mb4_bin"}'];
const user = [
  ...[
    'ready',
    '{"name": "prometheus", "host": "localhost", "plugin": "auth_socket", "hash": "", "tls": "", "locked": 0, "queries": 0, "updates": 0, "logins": 0, "connections": 0, "seconds": 0, "expired": 0, "lifetime": null, "history": null, "reuse": null, "attempts": null, "factors": 0, "second": 0}',
  ],
  ...['#0', 'GRANT PROCESS ON *.* TO `prometheus`@`localhost`'],
];

describe('all types that ask a server', () => {
  test('have one client, and each its own part of the answer', () => {
    expect(found(...primary, ...database, ...user, 'then 0', 'seeding begun')).toMatchObject([
      { readOnly: false, history: 'marked', seeding: 'left over from when it was a replica' },
      { charset: 'utf8mb4' },
      { grants: 'PROCESS on *.*' },
    ]);
  });

  test('are not disturbed by an error that one of them meets, before or behind its rows', () => {
    const error = "ERROR 1146 (42S02) at line 5: Table 'mysql.user' doesn't exist";
    expect(found(...primary, ...database, 'ready', error)).toMatchObject([
      { readOnly: false },
      { charset: 'utf8mb4' },
      new Unreadable(error),
    ]);
    expect(found(...primary, ...database, ...user, 'then 0', 'failed cat: No space')).toMatchObject([
      new Unreadable('cat: No space'),
      { charset: 'utf8mb4' },
      { grants: 'PROCESS on *.*' },
    ]);
  });

  test.each([
    [
      'runs not',
      ["ERROR 2002 (HY000): Can't connect through socket"],
      "ERROR 2002 (HY000): Can't connect through socket",
    ],
    [
      'has no connection left',
      ['ERROR 1040 (HY000): Too many connections'],
      'ERROR 1040 (HY000): Too many connections',
    ],
    ['hangs', ['away the server does not answer within 20 s'], 'the server does not answer within 20 s'],
  ])('cannot be read where the server %s', (_, printed, reason) => {
    expect(found(...printed)).toEqual(resources.map(() => new Unreadable(reason)));
  });

  test('of which some were asked before the server hangs can be read', () => {
    const reason = 'the server does not answer within 20 s';
    expect(found(...primary, ...database, `away ${reason}`)).toMatchObject([
      { readOnly: false },
      new Unreadable(reason),
      new Unreadable(reason),
    ]);
  });
});
