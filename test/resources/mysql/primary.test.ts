import { describe, expect, test } from 'vitest';
import { mysqlPrimary, Secret, type Change, type Conversation } from '../../../src/index.ts';
import { compare } from '../../../src/plan/compare.ts';
import { Unreadable } from '../../../src/resources/state.ts';

const others = {
  ...{ self: '10.0.0.2:3306', user: 'observer', password: new Secret('Observer1') },
  ...{ ca: '/pki/ca.crt', certificate: '/pki/mysql.crt', key: '/pki/mysql.key' },
  servers: [{ name: 'web3', address: '10.0.0.3' }],
};
const { type, attributes } = mysqlPrimary('web2', { flavor: 'mysql', durability: 'fallback', others });
const desired = type.schema.parse(attributes);
const history = 'f22c49c6-e53c-11f1-8880-2e3fcee93386:1-33';
const marked = `686f7374-7772-6967-6874-0123456789ab:1,${history}`;

/** A primary that does its work, as the probe prints it. */
const open = { readOnly: 0, executed: marked, waits: 'ON', patience: '10000', replicas: '1' };
const closed = { ...open, readOnly: 1, waits: 'OFF', replicas: '0' };
const row = (source: string): string => `\t${source.split(':').join('\t\t')}`;
const web3 = {
  follows: `other web3\t1\t${marked}\t${row('10.0.0.2:3306')}\t`,
  'is ahead': `other web3\t1\t${marked},11111111-e53c-11f1-8880-2e3fcee93386:1-5\t`,
  'is of another history': 'other web3\t1\t11111111-e53c-11f1-8880-2e3fcee93386:1\t',
  'takes writes': `other web3\t0\t${marked}\t`,
  'does not answer': 'silent web3\tERROR 2003 (HY000): refused',
};

function read(found: typeof open, ...rows: readonly string[]) {
  const [actual] = type
    .probe([desired])
    .parse(Buffer.from(`${['ready', JSON.stringify(found), ...rows].join('\n')}\n`));
  if (actual === undefined || actual === null || actual instanceof Unreadable) throw new Error('no state');
  return actual;
}

function changeOf(found: typeof open, ...rows: readonly string[]): Change | undefined {
  const actual = read(found, ...rows);
  const difference = compare(type, desired, actual);
  return difference && { id: 'mysql_primary:web2', desired, actual, ...difference };
}

function differences(found: typeof open, ...rows: readonly string[]): readonly unknown[] {
  return changeOf(found, ...rows)?.attributes.map(({ name, from }) => [name, from]) ?? [];
}

/** The statements that a change makes, where the server answers the same to it as to the probe, or what is given. */
async function statements(
  found: typeof open,
  rows: readonly string[] = [],
  later: readonly [typeof open, ...string[]] = [found, ...rows],
): Promise<string> {
  const change = changeOf(found, ...rows);
  const [step] = change === undefined ? [] : type.apply([change], { declared: () => [] });
  const said: string[] = [];
  const [now, ...behind] = later;
  await (step as Conversation | undefined)?.converse((script, stdin) => {
    if (script.text.includes('hw_ask')) {
      return Promise.resolve(Buffer.from(`${['ready', JSON.stringify(now), ...behind].join('\n')}\n`));
    }
    said.push(Buffer.from(stdin ?? []).toString());
    return Promise.resolve(Buffer.alloc(0));
  });
  return said.join();
}

const waiting =
  'SET GLOBAL rpl_semi_sync_source_timeout = 10000;\nSET GLOBAL rpl_semi_sync_source_enabled = ON;\n';
const opening = 'SET GLOBAL super_read_only = OFF;\nSET GLOBAL read_only = OFF;\n';

describe('a primary', () => {
  test('that takes writes, with a mark in its history, has no changes', () => {
    expect(differences(open)).toEqual([]);
  });

  test.each([
    ['read-only', { ...open, readOnly: 1 }, [], [['readOnly', true]]],
    ['of an empty history', { ...open, executed: '' }, [], [['history', 'not marked']]],
    ['of a history without a mark', { ...open, executed: history }, [], [['history', 'not marked']]],
    [
      'that was a replica whose copy broke off',
      open,
      ['seeding begun'],
      [['seeding', 'left over from when it was a replica']],
    ],
    ['whose commits wait for nobody', { ...open, waits: 'OFF' }, [], [['semiSync', 'off']]],
    ['whose commits wait too short', { ...open, patience: '5' }, [], [['semiSync', 'gives up after 5 ms']]],
    [
      'that has a source left over',
      open,
      [row('10.0.0.3:3306'), web3.follows],
      [['source', '10.0.0.3:3306']],
    ],
  ])('%s is changed', (_, found, rows, expected) => {
    expect(differences(found, ...rows)).toEqual(expected);
  });

  test('without a replica that is connected waits for none', () => {
    expect(differences({ ...open, waits: 'OFF', replicas: '0' })).toEqual([]);
  });

  test('is changed in what differs alone, and waits for replicas before it opens', async () => {
    expect(await statements(closed, [web3.follows])).toBe(waiting + opening);
    expect(await statements(closed, [web3['does not answer']])).toBe(opening);
    expect(await statements({ ...closed, replicas: '1' })).toBe(waiting + opening);
    expect(await statements({ ...open, executed: history })).toMatch(
      /SET gtid_next = '686f7374-.*:1';\nBEGIN;\nCOMMIT;/,
    );
    expect(await statements(open, ['seeding begun'])).toBe(waiting);
  });

  test.each([
    ['another one takes writes', closed, [web3['takes writes']], 'web3 takes writes, web2 does not'],
    [
      'it follows another one that takes writes',
      closed,
      [row('10.0.0.3:3306'), web3['takes writes']],
      'web2 follows web3 (10.0.0.3:3306), and web3 takes writes',
    ],
    [
      'it is a replica',
      closed,
      [row('10.0.0.9:3306'), web3['does not answer']],
      'web2 follows 10.0.0.9:3306',
    ],
    [
      'both take writes',
      open,
      [row('10.0.0.3:3306'), web3['takes writes']],
      'both web2 and web3 take writes',
    ],
  ])('is left alone where %s, with the two ways out', async (_, found, rows, words) => {
    expect(differences(found, ...rows)).toEqual([['contradiction', words]]);
    const [remark] = type.comparison?.remarks?.(read(found, ...rows)) ?? [];
    expect(remark).toMatch(/set mysql_primary: \S+ in the inventory; .* hostwright do mysql promote web2$/);
    await expect(statements(found, rows)).rejects.toThrow(`${words}, so no changes were made`);
  });

  test('stays closed while another one holds what it lacks, and says how to choose', async () => {
    const words =
      'web3 does not follow web2 and holds 5 transactions that web2 lacks: 11111111-e53c-11f1-8880-2e3fcee93386:1-5';
    expect(differences(closed, web3['is ahead'])).toEqual([['contradiction', words]]);
    const [remark] = type.comparison?.remarks?.(read(closed, web3['is ahead'])) ?? [];
    expect(remark).toMatch(
      /set mysql_primary: web3 in the inventory; .* stop its server, then run hostwright apply$/,
    );
    await expect(statements(closed, [web3['is ahead']])).rejects.toThrow(words);
    expect(differences(closed, web3['is of another history'])).toEqual([['readOnly', true]]);
    expect(
      differences({ ...closed, executed: `${marked}4` }, web3['is ahead'].replace(/,1.*:1-5/, '')),
    ).toEqual([['readOnly', true]]);
  });

  test('is not opened where another one has opened since the plan', async () => {
    await expect(statements(closed, [web3.follows], [closed, web3['takes writes']])).rejects.toThrow(
      'web3 takes writes, web2 does not',
    );
  });

  test('loses a source that the plan showed, also when it was restarted since', async () => {
    const rows = [row('10.0.0.3:3306'), web3.follows];
    expect(await statements(open, rows, [closed, ...rows])).toBe(
      `STOP REPLICA;\nRESET REPLICA ALL;\n${waiting}${opening}`,
    );
  });

  test('that starts again takes no writes, which the plan foresees', () => {
    const restart = { id: 'service:mysql.service' as const, desired: {}, actual: {}, attributes: [] };
    const planned = (action: 'restart' | 'reload') =>
      type.order?.foresee?.(desired, read(open), (id) =>
        id === restart.id ? { ...restart, action } : undefined,
      );
    expect(planned('restart')).toMatchObject({
      readOnly: true,
      advice: expect.stringMatching(/^web2 accepts writes and restarts: .* do mysql promote web3 first$/),
    });
    expect(planned('reload')).toMatchObject({ readOnly: false, advice: '' });
  });

  test('that is not there yet is unreadable', () => {
    const reason = 'its client is not installed';
    expect(type.probe([desired]).parse(Buffer.from(`away ${reason}\n`))).toEqual([new Unreadable(reason)]);
  });
});
