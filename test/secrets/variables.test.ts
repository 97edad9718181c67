import { inspect } from 'node:util';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { HostwrightErrors } from '../../src/errors.ts';
import { encryptValue } from '../../src/secrets/age.ts';
import { Secret, isSecret } from '../../src/secrets/secret.ts';
import { variableDecrypter } from '../../src/inventory/decrypt.ts';

const key = await generateX25519Identity();
const recipient = await identityToRecipient(key);
const encrypted = await encryptValue(new Secret('hunter2'), [recipient]);
const foreign = await encryptValue(new Secret('hunter2'), [
  await identityToRecipient(await generateX25519Identity()),
]);
const places = new Map(
  ['a', 'b', 'c'].map((name, index) => [name, { file: 'all.yml', line: index + 1, column: 1 }]),
);

describe('the variables of a host', () => {
  test('have secrets in the place of encrypted values, in lists and maps too', async () => {
    const decrypt = variableDecrypter(() => Promise.resolve([key]));
    const values = await decrypt(
      { a: encrypted, b: [1, 'x', encrypted], c: { d: { e: encrypted, f: null } }, g: true },
      places,
    );
    const revealed = JSON.parse(
      JSON.stringify(values, function reveal(this: Record<string, unknown>, name, shown: unknown) {
        const value = this[name];
        return isSecret(value) ? `revealed ${value.reveal()}` : shown;
      }),
    );
    const secret = 'revealed hunter2';
    expect(revealed).toEqual({ a: secret, b: [1, 'x', secret], c: { d: { e: secret, f: null } }, g: true });
  });

  test('ask for the identity only when there is something to decrypt, and once', async () => {
    let asked = 0;
    const decrypt = variableDecrypter(() => {
      asked += 1;
      return Promise.resolve([key]);
    });
    await decrypt({ a: 'plain', b: 1 }, places);
    expect(asked).toBe(0);
    const [web1, web2] = await Promise.all([
      decrypt({ a: encrypted }, places),
      decrypt({ a: encrypted }, places),
    ]);
    expect(asked).toBe(1);
    expect(web1['a']).toBe(web2['a']);
  });

  test('that cannot be decrypted are errors with name and place, all at once, without the value', async () => {
    const decrypt = variableDecrypter(() => Promise.resolve([key]));
    const error: unknown = await decrypt(
      { a: foreign, b: encrypted, c: { d: encrypted.slice(0, -8) } },
      places,
    ).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HostwrightErrors);
    expect(error).toMatchObject({
      errors: [
        {
          code: 'E_SECRET',
          message: 'variable a: the value is encrypted for other identities',
          place: { file: 'all.yml', line: 1, column: 1 },
        },
        { code: 'E_SECRET', place: { file: 'all.yml', line: 3, column: 1 } },
      ],
    });
    const shown = inspect(error, { depth: 20 });
    for (const hidden of ['hunter2', foreign.slice(40, 80), encrypted.slice(40, 80), key.slice(20, 40)]) {
      expect(shown).not.toContain(hidden);
    }
  });
});
