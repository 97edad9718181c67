import { execFileSync } from 'node:child_process';
import { verify } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { KeyPolicy } from '../../src/transport/key-policy.ts';
import { createLoginKeys, type LoginKeys } from '../../src/transport/login-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'hostwright-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const policy: KeyPolicy = { requiredRsaSize: 1024, pubkeyAlgorithms: undefined };
let made = 0;

function makeKey(...options: readonly string[]): string {
  made += 1;
  const file = join(folder, `key${made}`);
  execFileSync('ssh-keygen', ['-q', '-N', '', '-C', '', ...options, '-f', file]);
  return file;
}

function usable(
  keys: LoginKeys,
  file: string,
  of = policy,
): Exclude<ReturnType<LoginKeys['privateKey']>, string> {
  const key = keys.privateKey(file, of);
  if (typeof key === 'string') throw new Error(key);
  return key;
}

describe('the keys to log in with', () => {
  it.each([
    [['-t', 'ed25519'], null, undefined],
    [['-t', 'ecdsa', '-b', '256'], 'sha256', undefined],
    [['-t', 'ecdsa', '-b', '384'], 'sha384', undefined],
    [['-t', 'ecdsa', '-b', '521'], 'sha512', undefined],
    [['-t', 'rsa', '-b', '2048'], 'sha512', 'sha512'],
    [['-t', 'rsa', '-b', '2048', '-m', 'PEM'], 'sha256', 'sha256'],
  ])('sign what their public half verifies: %j by %s', (options, hash, asked) => {
    const file = makeKey(...options);
    const key = usable(createLoginKeys(), file);
    const data = Buffer.from('what the host sends');
    const signature = key.sign(data, asked);
    expect(verify(hash, data, key.getPublicPEM(), signature)).toBe(true);
  });

  it('keep to the policy of each host, also where several hosts share a key', () => {
    const file = makeKey('-t', 'rsa', '-b', '2048');
    const keys = createLoginKeys();
    const loose = usable(keys, file, { ...policy, pubkeyAlgorithms: ['ssh-rsa', 'rsa-sha2-256'] });
    const strict = usable(keys, file);
    const made = (key: typeof loose): readonly boolean[] =>
      ['sha1', 'sha256', 'sha512'].map((hash) => Buffer.isBuffer(key.sign(Buffer.from('data'), hash)));
    expect(made(loose)).toEqual([true, true, false]);
    expect(made(strict)).toEqual([false, true, true]);
    expect(keys.privateKey(file, { ...policy, requiredRsaSize: 3072 })).toContain('has 2048 bits');
  });

  it('are read again when they have changed', () => {
    const file = makeKey('-t', 'ed25519');
    const keys = createLoginKeys();
    const before = usable(keys, file).getPublicSSH();
    expect(usable(keys, file).getPublicSSH()).toBe(before);
    expect(keys.publicKeys(file)).toEqual([before]);
    rmSync(file);
    rmSync(`${file}.pub`);
    expect(keys.privateKey(file, policy)).toBe('does not exist');
    expect(keys.publicKeys(file)).toEqual([]);
    execFileSync('ssh-keygen', ['-q', '-N', '', '-C', '', '-t', 'ed25519', '-f', file]);
    expect(usable(keys, file).getPublicSSH()).not.toEqual(before);
  });

  it('say why they cannot be used', () => {
    const keys = createLoginKeys();
    const locked = makeKey('-t', 'ed25519');
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'secret', '-f', locked]);
    expect(keys.privateKey(locked, policy)).toBe('is encrypted and no agent holds it');
    expect(keys.publicKeys(locked)).toHaveLength(1);
    expect(keys.privateKey(`${locked}.pub`, policy)).toBe('is not a private key');
    expect(keys.privateKey(folder, policy)).toBe('cannot be read');
    const garbage = join(folder, 'garbage');
    writeFileSync(garbage, 'no key');
    chmodSync(garbage, 0o600);
    expect(keys.privateKey(garbage, policy)).toContain('is of an unsupported type');
  });
});
