import { X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { createAuthority } from '../../src/pki/authority.ts';
import { signRequest } from '../../src/pki/sign.ts';

const day = 86_400_000;
const certification = {
  commonName: 'nginx',
  names: ['web1'],
  usage: ['server'],
  validFor: 90 * 86_400,
} as const;
const now = new Date('2030-01-01T00:00:00Z');

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** A request that asks for far more than it should get. */
function request(...key: readonly string[]): string {
  const text = openssl(
    'req',
    '-new',
    '-newkey',
    ...key,
    '-nodes',
    '-subj',
    '/CN=root',
    '-addext',
    'basicConstraints=CA:TRUE',
    '-addext',
    'subjectAltName=DNS:evil.example',
    '-keyout',
    '/dev/null',
  );
  return text.slice(text.indexOf('-----BEGIN'));
}

const p256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;

let authority: string;

beforeAll(async () => {
  authority = await createAuthority();
});

describe('signing a request', () => {
  test('gives the declared names, whatever the request asks for', async () => {
    const made = new X509Certificate(await signRequest(authority, request(...p256), certification, now));
    expect(made.subject).toBe('CN=nginx');
    expect(made.subjectAltName).toBe('DNS:web1');
    expect(made.ca).toBe(false);
    expect(made.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    // A clock that is a day behind finds it valid; that day is of its 90.
    expect(Date.parse(made.validFrom)).toBe(now.getTime() - day);
    expect(Date.parse(made.validTo)).toBe(now.getTime() + 89 * day);
  });

  test('refuses a request whose signature does not fit its key', async () => {
    const [one, other] = [request(...p256), request(...p256)];
    const bytes = (text: string) => Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const forged = bytes(one);
    const key = Buffer.from('06082a8648ce3d030107034200', 'hex');
    bytes(other).copy(
      forged,
      forged.indexOf(key) + key.length,
      bytes(other).indexOf(key) + key.length,
      bytes(other).indexOf(key) + key.length + 65,
    );
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    await expect(signRequest(authority, pem, certification, now)).rejects.toThrow('is invalid');
  });

  test('refuses another kind of key', async () => {
    await expect(signRequest(authority, request('rsa:2048'), certification, now)).rejects.toThrow(
      'is invalid',
    );
  });

  test('a CA that was made by a clock far ahead signs nothing until it is valid', async () => {
    const yesterday = new Date(Date.now() - 2 * day);
    await expect(signRequest(authority, request(...p256), certification, yesterday)).rejects.toThrow(
      'the internal CA is not valid before',
    );
  });

  test('a short certificate has most of its time before it', async () => {
    const short = { ...certification, validFor: 3600 };
    const made = new X509Certificate(await signRequest(authority, request(...p256), short, now));
    expect(Date.parse(made.validFrom)).toBe(now.getTime() - 360_000);
    expect(Date.parse(made.validTo)).toBe(now.getTime() + 3_240_000);
  });

  test('no certificate outlives the CA, and a CA that has run out signs nothing', async () => {
    const end = new Date(new X509Certificate(authority.slice(authority.indexOf('-----BEGIN CERT'))).validTo);
    expect(end.getTime() - Date.now()).toBeGreaterThan(29 * 365 * day);
    const late = new Date(end.getTime() - 10 * day);
    const made = new X509Certificate(await signRequest(authority, request(...p256), certification, late));
    expect(Date.parse(made.validTo)).toBe(end.getTime());
    await expect(signRequest(authority, request(...p256), certification, end)).rejects.toThrow('expired');
  });
});
