import { describe, expect, test } from 'vitest';
import { mysqlDatabase, mysqlUser, Secret, type Resource } from '../../../src/index.ts';
import { compare } from '../../../src/plan/compare.ts';
import { Unreadable, type Actual } from '../../../src/resources/state.ts';

const password = new Secret('geheim-und-lang');
const app = mysqlUser('app', '10.0.0.1', { flavor: 'mysql', password, grants: { 'shop.*': ['SELECT'] } });
const monitor = mysqlUser('prometheus', 'localhost', {
  flavor: 'mysql',
  socket: true,
  grants: { '*.*': ['PROCESS'] },
});

function parse(answer: string, ...resources: readonly [Resource, ...Resource[]]): readonly Actual[] {
  const [{ type }] = resources;
  const batch = resources.map(({ attributes }) => type.schema.parse(attributes));
  return type.probe(batch).parse(Buffer.from(answer));
}

/** What the steps of a resource send to the server, from a state. */
function statements(resource: Resource, actual: Actual): string {
  const { type } = resource;
  const desired = type.schema.parse(resource.attributes);
  if (actual instanceof Unreadable) throw new Error('no state');
  const difference = compare(type, desired, actual);
  if (difference === undefined) return '';
  const id = `${type.name}:${type.key(desired)}` as const;
  const [step] = type.apply([{ id, desired, actual, ...difference }], { declared: () => [] });
  if (step === undefined || 'converse' in step) throw new Error('no step');
  expect(step.script.text).not.toContain('geheim');
  expect(step.script.text).not.toContain('$A$');
  return Buffer.from(step.stdin ?? []).toString('utf8');
}

/** A row of mysql.user, as the probe prints it. */
function row(changes: object = {}): string {
  return JSON.stringify({
    name: 'app',
    host: '10.0.0.1',
    plugin: 'caching_sha2_password',
    hash: '',
    tls: 'any',
    locked: false,
    ...{ queries: 0, updates: 0, logins: 0, connections: 0, seconds: 0, expired: false, lifetime: null },
    ...{ history: null, reuse: null, attempts: null, factors: 0, second: 0 },
    ...changes,
  });
}

const grant = 'GRANT SELECT ON `shop`.* TO `app`@`10.0.0.1`';

describe('mysql_user', () => {
  test('is made with the hash of its password, never the password, and with its grants alone', () => {
    const sent = statements(app, null);
    expect(sent).toMatch(
      /^CREATE USER 'app'@'10\.0\.0\.1' IDENTIFIED WITH caching_sha2_password AS 0x[0-9a-f]{140} REQUIRE SSL;\nGRANT SELECT ON `shop`\.\* TO 'app'@'10\.0\.0\.1';\n$/,
    );
    expect(sent).not.toContain('geheim');
  });

  test('that was made has no difference left', () => {
    const hash = /0x([0-9a-f]+)/.exec(statements(app, null))?.[1] ?? '';
    const [state] = parse(
      `ready\n${row({ hash })}\n#0\nGRANT USAGE ON *.* TO \`app\`@\`10.0.0.1\`\n${grant}\n`,
      app,
    );
    expect(statements(app, state ?? null)).toBe('');
  });

  test('with another password, plugin, lock or without TLS is altered, its grants left alone', () => {
    for (const change of [{}, { plugin: 'mysql_native_password' }, { tls: '' }, { locked: true }]) {
      const [state] = parse(`ready\n${row({ hash: 'ff', ...change })}\n#0\n${grant}\n`, app);
      expect(statements(app, state ?? null)).toMatch(/^ALTER USER [^;]+ REQUIRE SSL ACCOUNT UNLOCK;\n$/);
    }
  });

  test.each([
    [{ queries: 1 }, { limits: '1 queries an hour' }],
    [{ connections: 1, attempts: '3' }, { limits: '1 connections, 3 failed logins until it is locked' }],
    [{ lifetime: 90 }, { limits: '90 days until the password expires' }],
    [{ expired: true }, { expired: true }],
  ])('with limits %j has them in the plan, and loses them', (changes, expected) => {
    const [state] = parse(`ready\n${row({ hash: 'ff', ...changes })}\n#0\n${grant}\n`, app);
    expect(state).toMatchObject(expected);
    expect(statements(app, state ?? null)).toMatch(
      /^ALTER USER [^;]+ WITH MAX_QUERIES_PER_HOUR 0 .* PASSWORD EXPIRE DEFAULT .* ACCOUNT UNLOCK;\n$/,
    );
  });

  test('with a second password that is still valid loses it', () => {
    const [state] = parse(`ready\n${row({ hash: 'ff', second: 1 })}\n#0\n${grant}\n`, app);
    expect(statements(app, state ?? null)).toMatch(/;\nALTER USER 'app'@'10.0.0.1' DISCARD OLD PASSWORD;\n$/);
  });

  test('with more grants than declared loses them, and keeps its password', () => {
    const hash = /0x([0-9a-f]+)/.exec(statements(app, null))?.[1] ?? '';
    const more = grant.replace('SELECT', 'SELECT, DROP');
    const [state] = parse(`ready\n${row({ hash })}\n#0\n${more}\n`, app);
    expect(statements(app, state ?? null)).toBe("REVOKE DROP ON `shop`.* FROM 'app'@'10.0.0.1';\n");
  });

  test('of the socket has neither password nor TLS', () => {
    expect(statements(monitor, null)).toBe(
      "CREATE USER 'prometheus'@'localhost' IDENTIFIED WITH auth_socket REQUIRE NONE;\nGRANT PROCESS ON *.* TO 'prometheus'@'localhost';\n",
    );
  });

  test('of MariaDB is known by its own hash, which is not shown among its grants', () => {
    const user = mysqlUser('app', '10.0.0.1', { flavor: 'mariadb', password: new Secret('x'), tls: 'x509' });
    const hash = '*B69027D44F6E5EDC07F1AEAD1477967B16F28227';
    const [state] = parse(
      `ready\n${row({ plugin: 'mysql_native_password', hash: Buffer.from(hash).toString('hex'), tls: 'x509', locked: 0 })}\n#0\nGRANT USAGE ON *.* TO \`app\`@\`10.0.0.1\` IDENTIFIED BY PASSWORD '${hash}' REQUIRE X509\n`,
      user,
    );
    expect(statements(user, state ?? null)).toBe('');
    expect(JSON.stringify(state)).not.toContain(hash);
  });

  test('each gets its own grants of several, one that is missing among them', () => {
    const grants = 'GRANT PROCESS ON *.* TO `prometheus`@`localhost`';
    const socket = { name: 'prometheus', host: 'localhost', plugin: 'auth_socket', tls: '' };
    expect(parse(`ready\n${row(socket)}\n#0\n#1\n${grants}\n`, app, monitor)).toMatchObject([
      null,
      { authentication: 'auth_socket', tls: 'none', grants: 'PROCESS on *.*' },
    ]);
  });

  test('that nobody wants is dropped, an anonymous one can be nothing else', () => {
    const anonymous = mysqlUser('', 'localhost', { flavor: 'mysql', absent: true });
    expect(statements(anonymous, { locked: false })).toBe("DROP USER IF EXISTS ''@'localhost';\n");
    const { type, attributes } = mysqlUser('', 'localhost', { flavor: 'mysql', password });
    expect(type.schema.safeParse(attributes).success).toBe(false);
  });

  test.each([
    ["o'brien", "'o''brien'@"],
    ['a`b', "'a`b'@"],
  ])('a name such as %s is quoted', (name, quoted) => {
    expect(statements(mysqlUser(name, 'localhost', { flavor: 'mysql', socket: true }), null)).toContain(
      quoted,
    );
  });

  test.each<readonly [object, string]>([
    [{ password, socket: true }, 'expected either "password" or "socket"'],
    [{}, 'expected either "password" or "socket"'],
    [{ password, name: 'a\\' }, 'without a backslash'],
    [{ password, host: 'a\nb' }, 'without a backslash and control characters'],
  ])('%j is refused: %s', (attributes, problem) => {
    const { type } = app;
    const given = { name: 'app', host: 'localhost', flavor: 'mysql', ...attributes };
    expect(
      type.schema
        .safeParse(given)
        .error?.issues.map(({ message }) => message)
        .join(),
    ).toContain(problem);
  });

  test('a server that is away is unreadable, garbage is an error', () => {
    expect(parse("away ERROR 2002 (HY000): Can't connect\n", app, monitor)).toEqual([
      new Unreadable("ERROR 2002 (HY000): Can't connect"),
      new Unreadable("ERROR 2002 (HY000): Can't connect"),
    ]);
    expect(() => parse('Permission denied\n', app)).toThrow(RangeError);
    expect(() => parse('ready\n', app)).toThrow(RangeError);
  });
});

describe('mysql_database', () => {
  const shop = mysqlDatabase('shop', { flavor: 'mysql', charset: 'utf8mb4' });
  const answer = 'ready\n{"name": "shop", "charset": "latin1", "collation": "latin1_swedish_ci"}\n';

  test('is made, changed and dropped', () => {
    expect(statements(shop, null)).toContain('CREATE DATABASE IF NOT EXISTS `shop` CHARACTER SET utf8mb4;');
    const [state] = parse(answer, shop);
    expect(statements(shop, state ?? null)).toContain('ALTER DATABASE `shop` CHARACTER SET utf8mb4;');
    const gone = mysqlDatabase('shop', { flavor: 'mysql', absent: true });
    expect(statements(gone, state ?? null)).toBe('DROP DATABASE IF EXISTS `shop`;\n');
    expect(statements(gone, null)).toBe('');
  });

  test('of whatever character set is good where none is declared', () => {
    const any = mysqlDatabase('shop', { flavor: 'mysql' });
    expect(statements(any, parse(answer, any)[0] ?? null)).toBe('');
  });

  test('garbage is an error', () => {
    expect(() => parse('oops\n', shop)).toThrow(RangeError);
  });
});
