import { expect, test } from 'vitest';
import { galeraMember } from '../../../src/index.ts';
import { compare } from '../../../src/plan/compare.ts';
import type { Ask } from '../../../src/resources/step.ts';

const answer = (readOnly: 'ON' | 'OFF') =>
  Buffer.from(`ready
wsrep_cluster_status\tPrimary
wsrep_cluster_size\t3
wsrep_local_state_comment\tSynced
read_only\t${readOnly}
wsrep_provider_options\tgcache.size = 256M; pc.weight = 1
`);

test('a member that somebody has made read-only takes writes again, without a restart', async () => {
  const { type, attributes } = galeraMember('web2', { restart: ['restart'], options: ['pc.weight=1'] });
  const desired = type.schema.parse(attributes);
  const [whole] = type.probe([desired]).parse(answer('OFF'));
  const [actual] = type.probe([desired]).parse(answer('ON'));
  if (whole === undefined || actual === undefined || whole === null || actual === null)
    throw new Error('none');
  if (!('state' in actual) || !('state' in whole)) throw new Error('no state');
  expect(compare(type, desired, whole)).toBeUndefined();
  const difference = compare(type, desired, actual);
  if (difference === undefined) throw new Error('there is nothing to change');
  expect(difference.attributes.map(({ name, from, to }) => [name, from, to])).toEqual([
    ['readOnly', true, false],
  ]);
  const done: string[] = [];
  const ask: Ask = (script, stdin) => {
    if (script.text.includes('question')) return Promise.resolve(answer('ON'));
    done.push(Buffer.from(stdin ?? []).toString('utf8'));
    return Promise.resolve(Buffer.alloc(0));
  };
  const change = { id: 'galera_member:web2', desired, actual, ...difference } as const;
  const [step] = type.apply([change], { declared: () => [] });
  if (step === undefined || !('converse' in step)) throw new Error('not a conversation');
  await step.converse(ask);
  expect(done).toEqual(['SET GLOBAL read_only = OFF;\n']);
});
