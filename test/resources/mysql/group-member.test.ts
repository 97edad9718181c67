import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compare } from '../../../src/plan/compare.ts';
import { mysqlGroupMember, Secret, type GroupStart } from '../../../src/index.ts';
import { beginGroup, runOutside } from '../../../src/resources/mysql/group-entry.ts';
import type { Ask } from '../../../src/resources/step.ts';

const password = 'Replication1';
const uuid = '0a8ff1ce-e53d-11f1-a544-d2607f8e5dc8';
const damaged = 13_121;

const member = (start: GroupStart) =>
  mysqlGroupMember('web3', {
    ...{ user: 'replication', password: new Secret(password), from: ['10.0.0.2', '10.0.0.3'] },
    ...{ ca: '/pki/ca.crt', certificate: '/pki/mysql.crt', key: '/pki/mysql.key' },
    join: ['/join'],
    start,
  });

/** What the server of web3 answers. */
function answer(state: string, failures: readonly number[] | null, readOnly = 1): string {
  const server = { uuid, executed: 'g:1-9', received: 'g:10-12', databases: ['shop'], keyless: null };
  const seen = [{ id: uuid, address: '10.0.0.3', state, role: state === 'ONLINE' ? 'SECONDARY' : '' }];
  const channels = {
    readOnly,
    user: 'replication',
    password: createHash('sha256').update(password).digest('hex'),
    failures,
  };
  return `ready\n${JSON.stringify({ ...server, follows: null, members: seen })}\n${JSON.stringify(channels)}\n`;
}

/** Carries it out on a server that joins as soon as it can read its relay log; gives what was done. */
async function apply(start: GroupStart, failures: readonly number[] | null) {
  const { type, attributes } = member(start);
  const desired = type.schema.parse(attributes);
  const [actual] = type.probe([desired]).parse(Buffer.from(answer('ERROR', failures)));
  if (actual === undefined || actual === null || !('state' in actual)) throw new Error('no state');
  const difference = compare(type, desired, actual);
  if (difference === undefined) throw new Error('there is nothing to change');
  const change = { id: 'mysql_group_member:web3', desired, actual, ...difference } as const;
  const done: string[] = [];
  let left = failures;
  let state = 'ERROR';
  const ask: Ask = (script, stdin) => {
    if (script.text.includes('question')) return Promise.resolve(Buffer.from(answer(state, left)));
    const input = Buffer.from(stdin ?? []).toString('utf8');
    if (input.includes("CHANNEL 'group_replication_applier'")) {
      done.push('forget what was received');
      left = null;
    } else if (script.text.includes('/join')) {
      done.push('join');
      if (left === null) state = 'ONLINE';
    }
    return Promise.resolve(Buffer.alloc(0));
  };
  const [step] = type.apply([change], { declared: () => [] });
  if (step === undefined || !('converse' in step)) throw new Error('not a conversation');
  const error = await step.converse(ask).then(
    () => undefined,
    (cause: unknown) => String(cause),
  );
  return { done, error, shown: difference.attributes.map(({ name }) => name) };
}

const from = { name: 'web2', address: '10.0.0.2' };

test('a member that cannot read what it has received gets it from the group once more', async () => {
  const { done, error, shown } = await apply({ kind: 'join', from }, [damaged]);
  expect(error).toBeUndefined();
  expect(shown).toContain('relayLog');
  expect(done).toEqual(['forget what was received', 'join']);
});

test('what a member has received stays where it can be read, and where nobody else is in a group', async () => {
  expect((await apply({ kind: 'join', from }, null)).done).toEqual(['join']);
  const { done, error } = await apply({ kind: 'join', reason: 'a group cannot be begun' }, [damaged]);
  expect(done).not.toContain('forget what was received');
  expect(error).toContain('a group cannot be begun');
});

test('a member that somebody has opened beside the primary is closed again', async () => {
  const { type, attributes } = member({ kind: 'join', from });
  const desired = type.schema.parse(attributes);
  const stateOf = (readOnly: number) =>
    type.probe([desired]).parse(Buffer.from(answer('ONLINE', null, readOnly)))[0];
  expect(stateOf(1)).toMatchObject({ writes: 'as its part says' });
  const actual = stateOf(0);
  expect(actual).toMatchObject({ writes: 'taken beside the primary' });
  if (actual === undefined || actual === null || !('state' in actual)) throw new Error('no state');
  const difference = compare(type, desired, actual);
  if (difference === undefined) throw new Error('there is nothing to change');
  const change = { id: 'mysql_group_member:web3', desired, actual, ...difference } as const;
  const done: string[] = [];
  const ask: Ask = (script, stdin) => {
    if (script.text.includes('question')) return Promise.resolve(Buffer.from(answer('ONLINE', null, 0)));
    done.push(Buffer.from(stdin ?? []).toString('utf8'));
    return Promise.resolve(Buffer.alloc(0));
  };
  const [step] = type.apply([change], { declared: () => [] });
  if (step === undefined || !('converse' in step)) throw new Error('not a conversation');
  await step.converse(ask).catch(() => undefined);
  expect(done).toEqual(['SET GLOBAL super_read_only = ON;\n']);
});

/** Runs a script on a server in that state; gives what the server was told. */
function told(script: string, state: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'hostwright-group-'));
  try {
    const client = `#!/bin/sh
given=$(cat)
case $given in *MEMBER_STATE*) echo ${state} ;; *) echo "$given" >>${folder}/told ;; esac
`;
    writeFileSync(join(folder, 'mysql'), client, { mode: 0o755 });
    writeFileSync(join(folder, 'told'), '');
    spawnSync('sh', ['-euc', script.replaceAll('/run/mysql-group.lock', join(folder, 'lock'))], {
      env: { PATH: `${folder}:${process.env['PATH']}` },
      input: 'STOP GROUP_REPLICATION;\n',
    });
    return readFileSync(join(folder, 'told'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each(['ONLINE', 'RECOVERING'])(
  'a server that has joined while its turn was waited for (%s) is not taken out of its group, and begins no other',
  (state) => {
    expect(told(runOutside.text, state)).toBe('');
    expect(told(beginGroup.text, state)).toBe('');
  },
);

test('a server outside of a group is prepared, and begins one', () => {
  expect(told(runOutside.text, 'OFFLINE')).toBe('STOP GROUP_REPLICATION;\n');
  expect(told(beginGroup.text, 'ERROR')).toContain('START GROUP_REPLICATION;');
});
