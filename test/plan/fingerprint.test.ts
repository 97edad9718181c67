import { expect, test } from 'vitest';
import { createFingerprint } from '../../src/plan/fingerprint.ts';
import { Secret } from '../../src/secrets/secret.ts';

const fingerprint = createFingerprint('salt');

test.each([
  ['contents', Buffer.from('a'), Buffer.from('b')],
  ['a content and its text', Buffer.from('a'), 'a'],
  ['secrets', new Secret('hunter2'), new Secret('hunter3')],
  ['a secret and what a report shows of it', new Secret('hunter2'), '***'],
  ['a number and its text', 1, '1'],
  ['nothing and what is called so', [null, undefined], ['null', 'undefined']],
  ['where one text ends and the next begins', ['a', 'b'], ['ab', '']],
  ['a list and a map', ['a'], { 0: 'a' }],
  ['names', { a: { b: 1 } }, { b: { a: 1 } }],
])('%s differ', (_, one, other) => {
  expect(fingerprint({ value: one })).not.toBe(fingerprint({ value: other }));
});

test('the same value has the same fingerprint, with the same salt only', () => {
  const value = () => ({
    text: 'ä',
    bytes: Buffer.from('a'),
    secret: new Secret('hunter2'),
    list: [1, null],
  });
  expect(fingerprint(value())).toBe(fingerprint(value()));
  expect(fingerprint(value())).toBe(createFingerprint('salt')(value()));
  expect(fingerprint(value())).not.toBe(createFingerprint('other')(value()));
});

test('a content is never turned into JSON: that of 60 MB took 40 seconds', () => {
  const content = Object.assign(Buffer.from('content'), {
    toJSON: () => {
      throw new Error('turned into JSON');
    },
  });
  expect(fingerprint({ release: { entries: [{ content }] } })).toMatch(/^[0-9a-f]{64}$/);
});
