import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMask, secretsIn } from '../../src/secrets/mask.ts';
import { Secret } from '../../src/secrets/secret.ts';

const value = `p'ä"s\\s $(x) &%/=word`;
const mask = createMask([new Secret(value), new Secret('-----BEGIN KEY-----\nfirst line\nsecond line\n')]);

describe('a mask', () => {
  test.each([
    ['as it is', value],
    ['in JSON', JSON.stringify(value)],
    ['in a URL', `https://user:${encodeURIComponent(value)}@host`],
    ['in shell', `'${value.replaceAll("'", `'\\''`)}'`],
    ['in SQL', `near '${value.replaceAll("'", "''")}' at line 1`],
    ['in an environment file', `PASSWORD="${value.replaceAll(/["\\`$]/g, String.raw`\$&`)}"`],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in hex', Buffer.from(value).toString('hex')],
    ['one line of several', 'bad line "second line"'],
    ['of which the beginning is cut off', `${value.slice(5)} ${'x'.repeat(300)}`],
  ])('hides a secret %s', (_, text) => {
    expect(mask(text)).toContain('***');
    expect(mask(text)).not.toMatch(/x\) &|word|second|[0-9a-f]{12}|[A-Za-z0-9+]{12}=/);
  });

  test('leaves everything else as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.includes('line'));
        expect(mask(text)).toBe(text);
      }),
    );
    expect(createMask([new Secret('short'), new Secret('')])('a short text')).toBe('a short text');
    expect(mask('-----BEGIN KEY-----')).toBe('-----BEGIN KEY-----');
    const pem = (label: string, line: string) =>
      `-----BEGIN ${label}-----\n${line}\n-----END ${label}-----\n`;
    const authority = new Secret(pem('PRIVATE KEY', 'MIGHsecret') + pem('CERTIFICATE', 'MIIBpublic'));
    expect(createMask([authority])('MIGHsecret MIIBpublic')).toBe('*** MIIBpublic');
  });

  test('hides any secret in any text', () => {
    fc.assert(
      fc.property(
        fc
          .string({ unit: 'binary', minLength: 8 })
          .filter((text) => text.trim() === text && !text.includes('\n')),
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        (secret, before, after) => {
          expect(createMask([new Secret(secret)])(before + secret + after)).not.toContain(secret);
        },
      ),
    );
  });
});

test('secrets are found however deep, once each', () => {
  const [one, other] = [new Secret('one'), new Secret('other')];
  const circle: Record<string, unknown> = {
    list: [one, { deep: new Map([['x', { other, one }]]) }],
    text: 'x',
  };
  circle['self'] = circle;
  expect([...secretsIn([circle, null, undefined, 1])]).toEqual([one, other]);
});
