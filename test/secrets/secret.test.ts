import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import { format, inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Secret, isSecret } from '../../src/secrets/secret.ts';

const value = 'hunter2';
const secret = new Secret(value);

function printed(print: (console: Console) => void): string {
  const stream = new PassThrough();
  print(new Console({ stdout: stream, stderr: stream, inspectOptions: { depth: 20, showHidden: true } }));
  return String(stream.read());
}

describe('a secret', () => {
  test('gives its value to reveal() only', () => {
    expect(secret.reveal()).toBe(value);
    expect(isSecret(secret)).toBe(true);
    expect(isSecret({ reveal: () => value })).toBe(false);
  });

  test.each<[string, () => unknown]>([
    ['a template literal', () => String.raw`${secret}`],
    ['concatenation', () => 'x' + String(secret) + secret.toString()],
    ['a list as text', () => [secret, [secret]].join(',')],
    ['a number', () => Number(secret)],
    ['JSON', () => JSON.stringify({ secret, list: [secret], map: { secret } })],
    ['inspect, hidden properties too', () => inspect(secret, { showHidden: true, depth: 20 })],
    [
      'inspect without custom ones',
      () => inspect(secret, { showHidden: true, customInspect: false, getters: true }),
    ],
    [
      'inspect inside something',
      () => inspect({ a: [{ secret }], m: new Map([[secret, secret]]) }, { depth: 9 }),
    ],
    ['format', () => format('%s %o %O %j %d', secret, secret, secret, secret, secret)],
    [
      'console.log',
      () =>
        printed((console) => {
          console.log('x', secret, { secret });
        }),
    ],
    [
      'console.table',
      () =>
        printed((console) => {
          console.table([{ secret }]);
        }),
    ],
    [
      'console.dir',
      () =>
        printed((console) => {
          console.dir(secret, { customInspect: false, showHidden: true });
        }),
    ],
    ['an error message', () => new Error(String.raw`wrong: ${secret}`, { cause: secret }).stack],
    ['an error printed with its cause', () => inspect(new Error('wrong', { cause: { secret } }))],
    ['its keys', () => Reflect.ownKeys(secret).map(String).join()],
    ['its entries', () => JSON.stringify(Object.entries(secret))],
    ['its values', () => Object.values(secret).map(String).join()],
    ['Object.assign', () => inspect(Object.assign({}, secret))],
    ['a clone', () => inspect(structuredClone(Object.assign({}, secret)))],
  ])('does not show in %s', (_way, show) => {
    let shown: string;
    try {
      shown = inspect(show(), { depth: 20 });
    } catch (error) {
      shown = inspect(error, { depth: 20 });
    }
    expect(shown).not.toContain(value);
  });

  test('cannot be cloned into another thread with its value', () => {
    let clone: unknown;
    try {
      clone = structuredClone(secret);
    } catch (error) {
      clone = error;
    }
    expect(inspect(clone, { showHidden: true, customInspect: false })).not.toContain(value);
  });

  test('does not show in the messages of zod', () => {
    const schemas: z.ZodType[] = [
      z.string(),
      z.enum(['a']),
      z.literal('b'),
      z.object({ a: z.string() }),
      z.strictObject({}),
      z.union([z.string(), z.number()]),
      z.coerce.number(),
      z.custom(() => false),
    ];
    for (const schema of schemas) {
      const result = schema.safeParse(secret, { reportInput: true });
      if (result.success) continue;
      expect(inspect(result.error, { depth: 20 }) + JSON.stringify(result.error.issues)).not.toContain(value);
    }
  });
});
