import { expect, test } from 'vitest';
import { HostwrightError, HostwrightErrors } from '../../src/errors.ts';
import { secretsIn } from '../../src/secrets/mask.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { fromWire, toWire } from '../../src/workers/wire.ts';

/** What the other end gets. */
function across(value: object): unknown {
  return fromWire(structuredClone(toWire(value)));
}

test('a secret is one again, in lists and maps however deep', () => {
  const got = across([new Map([['web1', { password: [new Secret('hunter22')] }]])]);
  const secrets = [...secretsIn(got)];
  expect(secrets.map((secret) => secret.reveal())).toEqual(['hunter22']);
  expect(String(secrets)).toBe('***');
});

test('an error keeps its code, its place and all else that a person is told', () => {
  const details = {
    place: { file: 'site.yml', line: 3, column: 5 },
    found: 'a',
    expected: 'b',
    hint: 'c',
  };
  const cause = new TypeError('no');
  const errors = [new HostwrightError('E_CONNECT', 'one'), new HostwrightError('E_AUTH', 'two')];
  const got = across({
    error: new HostwrightError('E_SITE', 'wrong', { ...details, cause }),
    errors: new HostwrightErrors(errors),
  });
  expect(got).toHaveProperty('error', expect.any(HostwrightError));
  expect(got).toHaveProperty('errors', expect.any(HostwrightErrors));
  expect(got).toMatchObject({
    error: { ...details, code: 'E_SITE', message: 'wrong', cause: { name: 'TypeError', message: 'no' } },
    errors: {
      errors: [
        { code: 'E_CONNECT', message: 'one' },
        { code: 'E_AUTH', message: 'two' },
      ],
    },
  });
});

test('data is the same', () => {
  const value = {
    nothing: [null, undefined],
    map: new Map([['a', 1]]),
    // What a user may call a key, though nobody does.
    odd: { '\0hostwright': 'secret', value: 'x' },
  };
  expect(across({ ...value, bytes: Buffer.from([0, 255]) })).toEqual({
    ...value,
    bytes: new Uint8Array([0, 255]),
  });
});

test('what is there twice stays one: thousands of hosts have the same from a group', () => {
  const place = { file: 'hosts.yml', line: 1 };
  const got = across([place, place]);
  expect(Array.isArray(got) && got[0] === got[1]).toBe(true);
});

test.each([
  ['a function', { resource: { apply: () => [] } }],
  ['an object of a class', { type: new Set([/x/]) }],
])('%s does not cross', (_, value) => {
  expect(() => toWire(value)).toThrow('cannot go to another process');
});
