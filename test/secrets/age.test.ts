import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decryptValue, encryptValue, isEncrypted } from '../../src/secrets/age.ts';
import {
  ensureIdentity,
  identityFile,
  inventoryRecipients,
  readIdentities,
} from '../../src/secrets/identity.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { scratchFolder } from './scratch.ts';

const key = await generateX25519Identity();
const recipient = await identityToRecipient(key);
const otherKey = await generateX25519Identity();
const otherRecipient = await identityToRecipient(otherKey);

async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}

describe('encrypted values', () => {
  test('come back as they were, from one line without blanks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        const encrypted = await encryptValue(new Secret(text), [recipient]);
        expect(encrypted).toMatch(/^age:[A-Za-z0-9+/]+=*$/);
        expect(isEncrypted(encrypted)).toBe(true);
        expect((await decryptValue(encrypted, [key])).reveal()).toBe(text);
      }),
      { numRuns: 25 },
    );
  });

  test('can be read by each of the recipients and by no other', async () => {
    const encrypted = await encryptValue(new Secret('x'), [recipient, otherRecipient]);
    expect((await decryptValue(encrypted, [otherKey])).reveal()).toBe('x');
    const stranger = await generateX25519Identity();
    expect((await decryptValue(encrypted, [stranger, key])).reveal()).toBe('x');
    expect(await failure(decryptValue(encrypted, [stranger]))).toMatchObject({
      code: 'E_SECRET',
      message: 'the value is encrypted for other identities',
    });
  });

  test('ordinary values are none', () => {
    for (const value of ['', 'age', 'age: 30', 'postage:abc', 'agent:x'])
      expect(isEncrypted(value)).toBe(false);
  });

  test('may be folded over several lines', async () => {
    const encrypted = await encryptValue(new Secret('x'), [recipient]);
    const folded = encrypted.replaceAll(/(.{60})/g, '$1 ');
    expect((await decryptValue(folded, [key])).reveal()).toBe('x');
  });

  test('what is damaged is an error that shows neither the value nor a key', async () => {
    const encrypted = await encryptValue(new Secret('hunter2'), [recipient]);
    const middle = Math.floor(encrypted.length / 2);
    const swapped = encrypted[middle] === 'A' ? 'B' : 'A';
    const damaged = [
      encrypted.slice(0, -12),
      encrypted.slice(0, 40),
      `${encrypted.slice(0, middle)}${swapped}${encrypted.slice(middle + 1)}`,
      `${encrypted.slice(0, middle)}*${encrypted.slice(middle)}`,
      'age:abc',
      'age:hunter2',
    ];
    for (const value of damaged) {
      const error = await failure(decryptValue(value, [key]));
      expect(error).toMatchObject({ code: 'E_SECRET' });
      const shown = inspect(error, { depth: 20 });
      expect(shown).not.toContain(value.slice(4, 40));
      expect(shown).not.toContain(key.slice(20));
    }
  });

  test('without an identity the error says what to do', async () => {
    const encrypted = await encryptValue(new Secret('x'), [recipient]);
    expect(await failure(decryptValue(encrypted, []))).toMatchObject({
      message: 'the value is encrypted, and this machine has no identity',
      hint: expect.stringContaining('HOSTWRIGHT_IDENTITY'),
    });
  });
});

describe('the identity', () => {
  test('is where the environment says, else in the home folder', () => {
    expect(identityFile({ HOSTWRIGHT_IDENTITY: '/keys/a', HOME: '/home/x' })).toBe('/keys/a');
    expect(identityFile({ HOME: '/home/x' })).toBe('/home/x/.config/hostwright/identity.txt');
  });

  test('is made once, for its owner only, in the format of age', async () => {
    const file = join(scratchFolder(), 'config/hostwright/identity.txt');
    expect(await readIdentities(file)).toEqual([]);
    const [first, ...others] = await Promise.all(Array.from({ length: 8 }, () => ensureIdentity(file)));
    expect(new Set([first, ...others]).size).toBe(1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [own] = await readIdentities(file);
    expect(await identityToRecipient(own ?? '')).toBe(first);
    expect(readFileSync(file, 'utf8')).toMatch(/^# public key: age1\w+\nAGE-SECRET-KEY-1\w+\n$/m);
  });

  test('that others can read is refused', async () => {
    const file = join(scratchFolder(), 'identity.txt');
    await ensureIdentity(file);
    chmodSync(file, 0o640);
    expect(await failure(readIdentities(file))).toMatchObject({
      code: 'E_SECRET',
      found: 'mode 0640',
      hint: `run chmod 600 ${file}`,
    });
  });

  test('that is none is refused without being shown', async () => {
    const file = join(scratchFolder(), 'identity.txt');
    writeFileSync(file, `# mine\n${key.slice(0, -3)}\n`, { mode: 0o600 });
    const error = await failure(readIdentities(file));
    expect(error).toMatchObject({ code: 'E_SECRET', place: { file, line: 2 } });
    expect(inspect(error, { depth: 20 })).not.toContain(key.slice(20, 40));
  });
});

describe('the recipients of an inventory', () => {
  test('are the own one where there is no list, and the list where there is one', async () => {
    const identity = join(scratchFolder(), 'identity.txt');
    const own = await ensureIdentity(identity);
    expect(await inventoryRecipients(scratchFolder(), identity)).toEqual([own]);
    const folder = scratchFolder({ 'recipients.txt': `# the team\n${own}\n\n${recipient}\n` });
    expect(await inventoryRecipients(folder, identity)).toEqual([own, recipient]);
  });

  test('must hold the own one: the next run could not read what this one wrote', async () => {
    const identity = join(scratchFolder(), 'identity.txt');
    const folder = scratchFolder({ 'recipients.txt': `${recipient}\n` });
    const error = await failure(inventoryRecipients(folder, identity));
    expect(error).toMatchObject({
      code: 'E_SECRET',
      hint: expect.stringContaining(await ensureIdentity(identity)),
    });
  });

  test('a private key in the list is refused without being shown', async () => {
    const identity = join(scratchFolder(), 'identity.txt');
    const folder = scratchFolder({ 'recipients.txt': `${key}\n` });
    const error = await failure(inventoryRecipients(folder, identity));
    expect(error).toMatchObject({ place: { file: join(folder, 'recipients.txt'), line: 1 } });
    expect(inspect(error, { depth: 20 })).not.toContain(key.slice(20, 40));
  });
});

test('ansible-inventory passes over the list of recipients and leftovers of a run, and reads the values', () => {
  const folder = scratchFolder({
    'hosts.yml': 'all:\n  hosts:\n    web1:\n',
    'recipients.txt': `${recipient}\n`,
    'group_vars/all/generated.yml': 'db_password: age:abc\n',
    'group_vars/all/.generated.yml.lock': '1 here\n',
    'group_vars/all/.generated.yml.0000': 'half: [\n',
  });
  const output = execFileSync('ansible-inventory', ['-i', folder, '--list'], {
    encoding: 'utf8',
    env: { ...process.env, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: 'true' },
  });
  expect(JSON.parse(output)).toMatchObject({ _meta: { hostvars: { web1: { db_password: 'age:abc' } } } });
});
