import { describe, expect, test } from 'vitest';
import { mysqlSettings, type Change, type State, type Step } from '../../../src/index.ts';
import { compare } from '../../../src/plan/compare.ts';
import { isSameValue, settable } from '../../../src/resources/mysql/setting-value.ts';
import { Unreadable } from '../../../src/resources/state.ts';
import { placed } from '../../../src/testing/index.ts';

const settings = {
  max_connections: '200',
  ssl_cert: '/pki/a.crt',
  port: '3306',
  plugin: 'x',
  read_only: 'OFF',
};
const mysql = placed(mysqlSettings('mysql', { flavor: 'mysql', unit: 'mysql.service', settings }));
const mariadb = placed(mysqlSettings('mariadb', { flavor: 'mariadb', unit: 'mariadb.service', settings }));

type Row = readonly [name: string, value: string, source: string, standard?: string];

/** A server as its files say. */
const sound: readonly Row[] = [
  ['max_connections', '200', 'GLOBAL'],
  ['ssl_cert', '/pki/a.crt', 'GLOBAL'],
  ['current_tls_cert', '/pki/a.crt', 'status'],
  ['port', '3306', 'GLOBAL'],
  ['read_only', 'ON', 'DYNAMIC'],
  ['skip_networking', 'OFF', 'COMPILED'],
  ['innodb_redo_log_enabled', 'ON', 'status'],
];

function stateOf({ type, desired }: typeof mysql, rows: readonly Row[]): State {
  const text = rows.map(([name, value, source, standard]) =>
    JSON.stringify({ name, value, source, standard }),
  );
  const [state] = type.probe([desired]).parse(Buffer.from(`${['ready', ...text].join('\n')}\n`));
  if (state === undefined || state === null || state instanceof Unreadable) throw new Error('no state');
  return state;
}

/** The plan of a server where some rows are others, or more. */
function changeOf(resource: typeof mysql, ...rows: readonly Row[]): Change | undefined {
  const names = rows.map(([name]) => name);
  const actual = stateOf(resource, [...sound.filter(([name]) => !names.includes(name)), ...rows]);
  const difference = compare(resource.type, resource.desired, actual);
  return difference && { id: resource.id, desired: resource.desired, actual, ...difference };
}

function shown(change: Change | undefined): readonly string[] {
  return change?.attributes.map(({ name, from, to }) => `${name} ${String(from)} → ${String(to)}`) ?? [];
}

function sent({ type }: typeof mysql, change: Change | undefined): string {
  const [step] = type.apply(change === undefined ? [] : [change], { declared: () => [] }) as readonly Step[];
  return Buffer.from(step?.stdin ?? []).toString();
}

describe('the settings of a server', () => {
  test('that are those of its files are no change, whatever other types declare', () => {
    expect(changeOf(mysql)).toBeUndefined();
    expect(changeOf(mariadb, ['gtid_slave_pos', '0-1-7', 'SQL', ''])).toBeUndefined();
  });

  test.each<readonly [string, Row, string, string]>([
    [
      'declared',
      ['max_connections', '77', 'DYNAMIC'],
      'max_connections 77 → 200',
      'SET GLOBAL `max_connections` = 200;\n',
    ],
    [
      'that decides about access',
      ['init_connect', 'SET autocommit=0', 'DYNAMIC'],
      'init_connect SET autocommit=0 → ',
      'SET GLOBAL `init_connect` = DEFAULT;\n',
    ],
    [
      'kept for the next start',
      ['back_log', '9', 'kept'],
      'persisted back_log = 9 → none',
      'RESET PERSIST;\n',
    ],
    [
      'kept, and nowhere declared',
      ['big_tables', 'ON', 'PERSISTED'],
      'big_tables ON → undefined',
      'SET GLOBAL `big_tables` = DEFAULT;\n',
    ],
    [
      'with files that nobody has loaded',
      ['current_tls_cert', '/old.crt', 'status'],
      'current_tls_cert /old.crt → /pki/a.crt',
      'ALTER INSTANCE RELOAD TLS;\n',
    ],
    [
      'without a redo log',
      ['innodb_redo_log_enabled', 'OFF', 'status'],
      'innodb_redo_log_enabled OFF → ON',
      'ALTER INSTANCE ENABLE INNODB REDO_LOG;\n',
    ],
  ])('%s are named, and set without a restart', (_, row, words, statements) => {
    const change = changeOf(mysql, row);
    expect(shown(change)).toEqual([words]);
    expect(change?.action).toBe('update');
    expect(sent(mysql, change)).toBe(statements);
  });

  test.each<readonly [Row]>([
    [['port', '3307', 'COMMAND_LINE']],
    [['skip_networking', 'ON', 'COMPILED']],
    [['back_log', '222', 'PERSISTED']],
  ])('that only a start changes restart the server: %j', (row) => {
    const change = changeOf(mysql, row);
    expect(change?.action).toBe('restart');
    expect(sent(mysql, change)).toBe('');
  });

  test.each<readonly [Row]>([
    [['general_log', 'ON', 'GLOBAL']],
    [['skip_networking', 'ON', 'EXPLICIT']],
    [['sort_buffer_size', '300000', 'DYNAMIC']],
  ])('stay where a file of the host says so, or nothing says what they should be: %j', (row) => {
    expect(changeOf(mysql, row)).toBeUndefined();
  });

  test('of MariaDB are compared with what the server itself calls its own', () => {
    const change = changeOf(
      mariadb,
      ['general_log', 'ON', 'SQL', 'OFF'],
      ['wait_timeout', '28800', 'SQL', '28800'],
    );
    expect(shown(change)).toEqual(['general_log ON → undefined']);
    expect(sent(mariadb, change)).toBe('SET GLOBAL `general_log` = DEFAULT;\n');
  });

  test('take each step of the way to GTIDs', () => {
    const settingsOf = { flavor: 'mysql', unit: 'mysql.service', settings: { gtid_mode: 'ON' } } as const;
    const change = changeOf(placed(mysqlSettings('mysql', settingsOf)), [
      'gtid_mode',
      'OFF_PERMISSIVE',
      'DYNAMIC',
    ]);
    expect(sent(mysql, change)).toBe('SET GLOBAL gtid_mode = ON_PERMISSIVE;\nSET GLOBAL gtid_mode = ON;\n');
  });

  test('are those of the files once the server starts, but for what is kept beside them', () => {
    const service = {
      id: 'service:mysql.service',
      desired: {},
      actual: {},
      action: 'restart',
      attributes: [],
    } as const;
    const foreseen = (...rows: readonly Row[]) =>
      mysql.type.order?.foresee?.(mysql.desired, changeOf(mysql, ...rows)?.actual ?? null, () => service);
    expect(foreseen(['max_connections', '77', 'DYNAMIC'])).toMatchObject({ max_connections: '200' });
    expect(foreseen(['max_connections', '77', 'DYNAMIC'], ['x', '1', 'kept'])).toMatchObject({
      max_connections: '77',
    });
  });
});

describe('a value in a file is what a server shows', () => {
  test.each([
    ['128M', '134217728'],
    ['500M', '536870912'],
    ['10', '10.000000'],
    ['true', 'ON'],
    ['0', 'OFF'],
    ['TLSv1.3,TLSv1.2', 'TLSv1.2,TLSv1.3'],
    ['/var/lib/mysql', '/var/lib/mysql/'],
    ['binlog', 'ON'],
    ['row', 'ROW'],
    ['', ''],
  ])('%s as %s', (wanted, found) => {
    expect(isSameValue(wanted, found)).toBe(true);
  });

  test.each([
    ['200', '201'],
    ['OFF', 'ON'],
    ['128M', '268435456'],
    ['ON', 'OFF'],
    ['', 'SELECT 1'],
    ['1', '2'],
    ['/a', '/b'],
  ])('%s not as %s', (wanted, found) => {
    expect(isSameValue(wanted, found)).toBe(false);
  });

  test('and is set with its unit multiplied', () => {
    expect([settable('128M'), settable('5'), settable('ON')]).toEqual([134_217_728, 5, 'ON']);
  });
});
