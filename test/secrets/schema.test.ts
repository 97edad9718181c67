import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { randomPassword } from '../../src/secrets/password.ts';
import { generatorOf, secret } from '../../src/secrets/schema.ts';
import { Secret } from '../../src/secrets/secret.ts';

const generate = (): Promise<string> => Promise.resolve('made');
const schema = (): ReturnType<typeof secret> => secret({ generate });
const other = (): Promise<string> => Promise.resolve('other');

describe('the schema of a secret', () => {
  test('takes a text or a secret and gives a secret', () => {
    const given = new Secret('x');
    expect(secret().parse(given)).toBe(given);
    expect(secret().parse('x').reveal()).toBe('x');
  });

  test.each([12345678, true, null, undefined, ['hunter2'], { password: 'hunter2' }])(
    'refuses %j without showing it',
    (value) => {
      const result = z.object({ password: secret() }).safeParse({ password: value }, { reportInput: false });
      expect(result.success).toBe(false);
      expect(result.error?.issues[0]?.message).toBe('expected text; quote a number');
      expect(inspect(result.error, { depth: 20 })).not.toMatch(/hunter2|12345678/);
    },
  );

  test('a check that fails does not show it', () => {
    const schema = secret().refine((password) => password.reveal().length > 20, 'too short');
    const result = schema.safeParse('hunter2');
    expect(result.error?.issues[0]?.message).toBe('too short');
    expect(inspect(result.error, { depth: 20 })).not.toContain('hunter2');
  });
});

describe('the generator of a secret', () => {
  test.each<[string, z.ZodType]>([
    ['bare', schema()],
    ['optional', schema().optional()],
    ['nullable', schema().nullable()],
    ['with a default', schema().default(new Secret('x'))],
    ['described', schema().describe('the password of the app')],
    ['described and optional', schema().describe('a').optional().describe('b')],
    ['refined', schema().refine(() => true)],
    ['transformed', schema().transform((value) => value)],
    ['read only', schema().readonly()],
  ])('is found: %s', (_how, wrapped) => {
    expect(generatorOf(wrapped)).toBe(generate);
  });

  test('is none where none was given', () => {
    expect(generatorOf(secret())).toBeUndefined();
    expect(generatorOf(secret().optional().describe('x'))).toBeUndefined();
    expect(generatorOf(z.string().default('x'))).toBeUndefined();
  });

  test('belongs to one schema', () => {
    const role = z.object({ a: schema(), b: secret({ generate: other }), c: secret() });
    expect(Object.values(role.shape).map(generatorOf)).toEqual([generate, other, undefined]);
  });
});

describe('a random password', () => {
  test('holds letters and digits only, as many as asked for', () => {
    expect(randomPassword()).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(randomPassword(12)).toMatch(/^[A-Za-z0-9]{12}$/);
  });

  test('is another one each time, from the whole alphabet', () => {
    const passwords = Array.from({ length: 200 }, () => randomPassword());
    expect(new Set(passwords).size).toBe(200);
    expect(new Set(passwords.join('')).size).toBe(62);
  });
});
