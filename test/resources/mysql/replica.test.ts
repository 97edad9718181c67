import { beforeAll, describe, expect, test } from 'vitest';
import { HostwrightError } from '../../../src/errors.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { compare } from '../../../src/plan/compare.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { Unreadable, type Change, type State } from '../../../src/resources/state.ts';
import type { Ask } from '../../../src/resources/step.ts';
import { replicaSchema } from '../../../src/resources/mysql/replication.ts';
import { parseStatus } from '../../../src/resources/mysql/status.ts';
import { certificateFor } from '../../pki/certificate.ts';
import {
  following,
  mariadbAnswer,
  mysqlAnswer,
  password,
  primaryUuid,
  replica,
  seedPassword,
  type Server,
} from './answers.ts';

const mysql = replica('mysql');
const own = '0a8ff1ce-e53d-11f1-a544-d2607f8e5dc8:1-2';

const mark = '686f7374-7772-6967-6874-0123456789ab:1';
const ahead = [
  13_114,
  "Got fatal error 1236 from source when reading data from binary log: 'Replica has more GTIDs than the source has'",
] as const;

function stateOf(resource: Resource, answer: string): State {
  const [state] = resource.type
    .probe([resource.type.schema.parse(resource.attributes)])
    .parse(Buffer.from(answer));
  if (state === undefined || state === null || state instanceof Unreadable) throw new Error('no state');
  return state;
}

function changeOf(resource: Resource, server: Server): Change | undefined {
  const desired = resource.type.schema.parse(resource.attributes);
  const actual = stateOf(resource, mysqlAnswer(server));
  const difference = compare(resource.type, desired, actual);
  return difference === undefined ? undefined : { id: 'mysql_replica:web2', desired, actual, ...difference };
}

function differences(resource: Resource, server: Server): readonly unknown[] {
  return changeOf(resource, server)?.attributes.map(({ name, from }) => [name, from]) ?? [];
}

/** A host whose server goes from one state to the next whenever something is done to it. */
function host(states: readonly [Server, ...Server[]], isOfPackage = false) {
  const done: string[] = [];
  let at = 0;
  const ask: Ask = (script, stdin) => {
    const input = Buffer.from(stdin ?? []).toString('utf8');
    for (const secret of [password, seedPassword]) expect(script.text).not.toContain(secret);
    if (script.text.startsWith('openssl')) return Promise.resolve(Buffer.from(`${donor}${donor}`));
    if (script.text.includes('question')) {
      return Promise.resolve(Buffer.from(mysqlAnswer(states[Math.min(at, states.length - 1)] ?? following)));
    }
    if (script.text.includes('debian-sys-maint'))
      return Promise.resolve(Buffer.from(isOfPackage ? 'yes\n' : ''));
    if (script.text.includes('mysqlbinlog')) {
      done.push('keep');
      return Promise.resolve(Buffer.alloc(0));
    }
    if (script.text === 'sleep 1') at += 1;
    else {
      done.push(input.includes('CLONE') ? 'copy' : script.text.startsWith('rm ') ? 'finish' : input);
      at += 1;
    }
    return Promise.resolve(Buffer.alloc(0));
  };
  return { ask, done };
}

async function apply(resource: Resource, states: readonly [Server, ...Server[]], isOfPackage = false) {
  const change = changeOf(resource, states[0]);
  if (change === undefined) throw new Error('there is nothing to change');
  const { ask, done } = host(states, isOfPackage);
  const [step] = resource.type.apply([change], { declared: () => [] });
  if (step === undefined || !('converse' in step)) throw new Error('not a conversation');
  const error = await step.converse(ask).catch((cause: unknown) => cause);
  return { done, error: error instanceof HostwrightError ? error.message : error };
}

/** Any certificate with a name. */
let donor: string;

beforeAll(async () => {
  donor = (await certificateFor(await createAuthority(), 'web2')).certificate;
});

describe('the plan', () => {
  test('is empty for a replica that follows, of both servers', () => {
    expect(differences(mysql, following)).toEqual([]);
    const mariadb = replica('mariadb');
    const server = { ...following, executed: '0-1-9', own: '0-1-10' };
    const state = stateOf(mariadb, mariadbAnswer(server, '0-1-9'));
    expect(compare(mariadb.type, mariadb.type.schema.parse(mariadb.attributes), state)).toBeUndefined();
  });

  test.each<readonly [string, Partial<Server>, readonly unknown[]]>([
    [
      'stopped',
      { receiving: 'off', applying: 'off' },
      [
        ['receiving', 'off'],
        ['applying', 'off'],
      ],
    ],
    ['cannot connect', { receiving: 'connecting', own: null }, [['receiving', 'connecting']]],
    ['pointed elsewhere', { source: '10.9.9.9' }, [['source', '10.9.9.9:3306']]],
    ['without TLS', { tls: false }, [['tls', 'off']]],
    ['writable', { readOnly: false }, [['readOnly', false]]],
    ['behind on purpose', { delay: 600 }, [['delay', 600]]],
    [
      'leaving something out',
      { filters: ['replicate_ignore_db visits'] },
      [['filters', 'replicate_ignore_db visits']],
    ],
    ['following another one too', { channels: ['other'] }, [['otherSources', 'other']]],
    [
      'applying as somebody else',
      { options: 'privileges of `a`@`b`' },
      [['options', 'privileges of `a`@`b`']],
    ],
    ['errant', { own }, [['ownTransactions', own]]],
    ['a copy that broke off', { seeding: 'begun' }, [['data', 'half copied']]],
    [
      'of a lost history, whatever numbers are missing beside its mark',
      { own: `${mark},${primaryUuid}:4-17` },
      [
        ['data', 'of a history that the primary has lost'],
        ['ownTransactions', mark],
      ],
    ],
    [
      'ahead of the primary',
      { own: `${primaryUuid}:34-40` },
      [
        ['data', 'ahead of the primary, which has lost transactions'],
        ['ownTransactions', `${primaryUuid}:34-40`],
      ],
    ],
    [
      'no longer ahead, by the words of the server',
      { receiving: 'off', receiveFailure: ahead },
      [
        ['receiving', 'off'],
        ['data', 'ahead of the primary, which has lost transactions'],
      ],
    ],
    [
      'made a primary by hand',
      { readOnly: false, source: null, own: `${primaryUuid}:34-40` },
      [['contradiction', 'takes writes and follows nobody']],
    ],
    ['too old', { isPurged: true }, [['data', 'too old: the primary has purged the next binary logs']]],
    [
      'in conflict',
      { applying: 'off', applyFailure: [1062, 'Duplicate entry'] },
      [
        ['applying', 'off'],
        ['data', 'stopped: Duplicate entry'],
      ],
    ],
    ['out of disk', { applying: 'off', applyFailure: [1021, 'Disk full'] }, [['applying', 'off']]],
  ])('shows what is wrong with one that is %s', (_, server, expected) => {
    expect(differences(mysql, { ...following, ...server })).toEqual(expected);
  });

  test('sees another password without showing either', () => {
    const change = changeOf(mysql, { ...following, password: 'other' });
    expect(change?.attributes.map(({ name }) => name)).toEqual(['password']);
    expect(JSON.stringify(change)).not.toContain(password);
  });

  test('of a fresh server names the copy; one with data of unknown origin is told apart', () => {
    const fresh = { ...following, executed: '', source: null, databases: [], receiving: 'off' } as const;
    expect(differences(mysql, fresh)).toContainEqual(['data', 'none']);
    expect(differences(mysql, { ...fresh, databases: ['old'] })).toContainEqual([
      'data',
      'databases without GTIDs: old',
    ]);
  });

  test('for MariaDB reads failures, the state of the threads and transactions of its own', () => {
    const mariadb = replica('mariadb');
    const server: Server = {
      ...following,
      executed: '0-1-9,0-2-10',
      own: '0-1-12',
      applying: 'off',
      receiving: 'connecting',
      readOnly: false,
      receiveFailure: [2003, 'Can not connect'],
      applyFailure: [1062, 'Duplicate'],
    };
    expect(stateOf(mariadb, mariadbAnswer(server))).toMatchObject({
      source: '10.0.0.2:3306',
      tls: 'verified',
      position: 'gtid',
      receiving: 'connecting',
      applying: 'off',
      readOnly: false,
      data: 'stopped: Duplicate',
      ownTransactions: '0-2-10',
    });
  });

  test('for MariaDB, a copy of a primary that has got the writes back from another server has caught up', () => {
    const attributes = replicaSchema.parse(replica('mariadb').attributes);
    const isBehind = (applied: string): boolean => {
      const answer = mariadbAnswer({ ...following, executed: '', own: '0-1-9,0-2-8,' }, applied);
      return parseStatus(answer.split('\n').slice(1, -1), attributes).isBehind;
    };
    expect(isBehind('0-1-9')).toBe(false);
    expect(isBehind('0-2-8')).toBe(true);
  });

  test('a server that is not there yet is unreadable, garbage is an error', () => {
    const desired = mysql.type.schema.parse(mysql.attributes);
    expect(mysql.type.probe([desired]).parse(Buffer.from('away its client is not installed\n'))).toEqual([
      new Unreadable('its client is not installed'),
    ]);
    expect(() => mysql.type.probe([desired]).parse(Buffer.from('Permission denied\n'))).toThrow(RangeError);
  });
});

describe('the change', () => {
  test('starts what was stopped and configures nothing', async () => {
    const { done, error } = await apply(mysql, [
      { ...following, receiving: 'off', applying: 'off' },
      following,
    ]);
    expect(error).toBeUndefined();
    expect(done).toEqual(['SET GLOBAL super_read_only = ON;\nSTOP REPLICA;\nSTART REPLICA;\n']);
  });

  test('points it back to the primary, over verified TLS and by GTID', async () => {
    const { done, error } = await apply(mysql, [{ ...following, source: '10.9.9.9', tls: false }, following]);
    expect(error).toBeUndefined();
    expect(done.join()).toContain("SOURCE_HOST = '10.0.0.2'");
    expect(done.join()).toContain('SOURCE_SSL = 1');
    expect(done.join()).toContain('SOURCE_SSL_VERIFY_SERVER_CERT = 1');
    expect(done.join()).toContain('SOURCE_AUTO_POSITION = 1');
  });

  test('ends filters, a delay and other sources, and copies nothing', async () => {
    const odd = { ...following, filters: ['replicate_ignore_db shop'], channels: ['other'], delay: 600 };
    const { done, error } = await apply(mysql, [odd, following]);
    expect(error).toBeUndefined();
    expect(done).toHaveLength(1);
    expect(done[0]).toMatch(/^STOP REPLICA;\nCHANGE REPLICATION FILTER replicate_do_db = \(\), /);
    expect(done[0]).toContain("RESET REPLICA ALL FOR CHANNEL 'other';");
    expect(done[0]).toContain('SOURCE_DELAY = 0');
    expect(done[0]).toMatch(/STOP REPLICA;\nSTART REPLICA;\n$/);
  });

  test('ends the channels of a group that it has left, which cannot be stopped', async () => {
    const left = { ...following, channels: ['group_replication_applier', 'group_replication_recovery'] };
    const { done, error } = await apply(mysql, [left, following]);
    expect(error).toBeUndefined();
    expect(done[0]).toContain("RESET REPLICA ALL FOR CHANNEL 'group_replication_applier';");
    expect(done[0]).not.toContain('STOP REPLICA FOR CHANNEL');
  });

  test('has it acknowledge what it receives, and wait for nobody itself', async () => {
    const acknowledging = replica('mysql', { semiSync: true });
    expect(differences(acknowledging, following)).toEqual([]);
    expect(differences(acknowledging, { ...following, waits: 'ON' })).toEqual([
      ['semiSync', 'waits for replicas itself'],
    ]);
    const silent = { ...following, acknowledges: 'OFF' } as const;
    expect(differences(acknowledging, silent)).toEqual([['semiSync', 'off']]);
    expect(differences(mysql, silent)).toEqual([]);
    // A member of a group that it is to leave: the same replica is asked once that restarts as a primary.
    expect(differences(acknowledging, { ...silent, asks: false })).toEqual([]);
    const { done } = await apply(acknowledging, [silent, following]);
    expect(done).toEqual([
      'SET GLOBAL rpl_semi_sync_source_enabled = OFF;\nSET GLOBAL rpl_semi_sync_replica_enabled = ON;\n' +
        'STOP REPLICA;\nSET GLOBAL super_read_only = ON;\nSTOP REPLICA;\nSTART REPLICA;\n',
    ]);
  });

  test('of a writable replica does not interrupt it', async () => {
    const { done } = await apply(mysql, [{ ...following, readOnly: false }, following]);
    expect(done).toEqual(['SET GLOBAL super_read_only = ON;\n']);
  });

  test('seeds a fresh server, then starts it, then takes the mark away', async () => {
    const fresh = { ...following, executed: '', source: null, databases: [], receiving: 'off' } as const;
    const { done, error } = await apply(mysql, [fresh, { ...following, source: null }, following]);
    expect(error).toBeUndefined();
    expect([done[0], done[2]]).toEqual(['copy', 'finish']);
    expect(done[1]).toContain('START REPLICA');
  });

  test('tries a restart before it copies the data anew', async () => {
    const broken = { ...following, applying: 'off', applyFailure: [1062, 'Duplicate'] } as const;
    const restarted = await apply(mysql, [broken, following]);
    expect(restarted.done).not.toContain('copy');
    const copied = await apply(mysql, [broken, broken, { ...following, source: null }, following]);
    expect(copied.error).toBeUndefined();
    expect(copied.done).toContain('copy');
  });

  test('never copies where the plan did not say so', async () => {
    const stopped = { ...following, receiving: 'off', applying: 'off' } as const;
    const purged = { ...stopped, receiveFailure: [13_114, 'purged required binary logs'] } as const;
    const { done, error } = await apply(mysql, [stopped, purged]);
    expect(done).not.toContain('copy');
    expect(error).toContain('run the command again, the plan will show it');
  });

  test('leaves a server with transactions of its own alone, and names them', async () => {
    const { done, error } = await apply(mysql, [{ ...following, own }]);
    expect(done).toEqual([]);
    expect(error).toContain(own);
    const other = await apply(replica('mysql', { discard: own.replace('1-2', '1') }), [
      { ...following, own },
    ]);
    expect(other.done).toEqual([]);
  });

  test('copies over such transactions once exactly these are given up', async () => {
    const { done } = await apply(replica('mysql', { discard: ` ${own.toUpperCase()}` }), [
      { ...following, own },
      following,
    ]);
    expect(done.slice(0, 2)).toEqual(['keep', 'copy']);
  });

  test('forgets a transaction that is proven to be that of the package, and copies nothing', async () => {
    const { done, error } = await apply(mysql, [{ ...following, own }, following], true);
    expect(error).toBeUndefined();
    expect(done[0]).toBe(
      `STOP REPLICA;\nSET @kept = GTID_SUBTRACT(@@GLOBAL.gtid_executed, '${own}');\n` +
        'RESET BINARY LOGS AND GTIDS;\nSET GLOBAL gtid_purged = @kept;\n',
    );
    expect(done).not.toContain('copy');
  });

  test('gets its first data also where the package has written before', async () => {
    const fresh = { ...following, source: null, databases: [], receiving: 'off' } as const;
    const { done, error } = await apply(
      mysql,
      [
        { ...fresh, executed: own, own },
        { ...fresh, executed: '' },
        { ...following, source: null },
        following,
      ],
      true,
    );
    expect(error).toBeUndefined();
    expect(done[1]).toBe('copy');
  });

  test('has what it cannot read of its relay log sent once more, and copies nothing', async () => {
    const damaged = {
      ...following,
      applying: 'off',
      applyFailure: [13_121, 'Relay log read failure'],
    } as const;
    expect(differences(mysql, damaged)).toEqual([
      ['applying', 'off'],
      ['relayLog', 'damaged'],
    ]);
    const { done, error } = await apply(mysql, [damaged, following]);
    expect(error).toBeUndefined();
    expect(done).toEqual([
      'STOP REPLICA;\nRESET REPLICA;\nSET GLOBAL super_read_only = ON;\nSTOP REPLICA;\nSTART REPLICA;\n',
    ]);
    const stuck = await apply(mysql, [damaged]);
    expect(stuck.done).not.toContain('copy');
    expect(stuck.error).toContain('Relay log read failure');
  });

  test('says how many transactions a copy would lose, and where they are kept', () => {
    const actual = stateOf(mysql, mysqlAnswer({ ...following, own }));
    expect(mysql.type.comparison?.remarks?.(actual)).toEqual([
      expect.stringMatching(
        /^2 transactions are on this host alone.*\/var\/lib\/hostwright\/mysql-discarded$/,
      ),
    ]);
  });

  test('gives up no other transactions because a copy was begun once', async () => {
    const { done, error } = await apply(mysql, [{ ...following, own, seeding: 'begun' }]);
    expect(done).toEqual([]);
    expect(error).toContain(own);
  });

  test('stops a replica of a lost history, and asks for the same each time', async () => {
    const lost = { ...following, own: `${mark},${primaryUuid}:4-17` };
    const { done, error } = await apply(mysql, [lost, { ...lost, own: mark }]);
    expect(done).toEqual(['STOP REPLICA;\n']);
    expect(error).toContain(`set its mysql_discard_transactions to ${mark}`);
    const copied = await apply(replica('mysql', { discard: mark }), [lost, lost, lost, following]);
    expect(copied.error).toBeUndefined();
    expect(copied.done.slice(1, 3)).toEqual(['keep', 'copy']);
  });

  test.each<readonly [string, Partial<Server>]>([
    ['ahead of its primary', { own: `${primaryUuid}:34-40` }],
    ['that was ahead of its primary', { receiving: 'off', receiveFailure: ahead }],
  ])('marks a replica %s, and copies nothing over it', async (_, server) => {
    const found = { ...following, ...server };
    const { done, error } = await apply(mysql, [found, found, found, { ...found, own: mark }]);
    expect(done).toHaveLength(1);
    expect(done[0]).toMatch(
      /^STOP REPLICA;\nSET gtid_next = '686f7374-7772-6967-6874-[0-9a-f]{12}:1';\nBEGIN;\nCOMMIT;/,
    );
    expect(error).toContain(mark);
  });

  test('takes a transaction that arrived before the primary counted it for none of its own', async () => {
    const early = { ...following, readOnly: false, own: `${primaryUuid}:34` };
    const { done, error } = await apply(mysql, [early, { ...following, readOnly: false }, following]);
    expect(error).toBeUndefined();
    expect(done).toEqual(['SET GLOBAL super_read_only = ON;\n']);
  });

  test('marks a replica that turns out to be ahead when it is started', async () => {
    const stopped = { ...following, receiving: 'off' } as const;
    const found = { ...stopped, receiveFailure: ahead };
    const { done, error } = await apply(mysql, [stopped, found, found, found, { ...found, own: mark }]);
    expect(done).not.toContain('copy');
    expect(error).toContain(mark);
  });

  test('leaves a server alone that holds databases of unknown origin', async () => {
    const old = { ...following, executed: '', source: null, databases: ['old'] };
    const { done, error } = await apply(mysql, [old]);
    expect(done).toEqual([]);
    expect(error).toContain('old');
  });

  test('does nothing while the primary does not answer', async () => {
    const { done, error } = await apply(mysql, [{ ...following, receiving: 'connecting', own: null }]);
    expect(done).toEqual([]);
    expect(error).toContain("Can't connect to MySQL server");
  });

  test('fails with the words of the server when a restart does not help', async () => {
    const refused = { ...following, receiving: 'off', receiveFailure: [1045, 'Access denied'] } as const;
    const { done, error } = await apply(mysql, [refused]);
    expect(done).toHaveLength(1);
    expect(error).toContain('Access denied (1045)');
  });
});
