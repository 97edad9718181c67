import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { listed } from '../../src/roles/list.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import certificate from '../../roles/certificate/role.ts';
import { generatorOf } from '../../src/secrets/schema.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type { Declared } from '../../src/roles/role.ts';
import { contextOf, hosts, ofType } from '../../src/testing/index.ts';

const pem = (type: string, key: string): string =>
  `-----BEGIN ${type} PRIVATE KEY-----\n${key}\n-----END ${type} PRIVATE KEY-----\n`;

const { privateKey: accountKey, publicKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'sec1', format: 'pem' },
});

const required = {
  domain: 'www.foobar.com',
  acme_email: 'admin@foobar.com',
  acme_account_key: accountKey,
};

function resources(variables: object = {}, declared: readonly Declared[] = []): readonly Resource[] {
  const context = contextOf(certificate.variables.parse({ ...required, ...variables }), { declared });
  const asset = (path: string): Buffer =>
    readFileSync(new URL(`../../roles/certificate/${path}`, import.meta.url));
  return listed(certificate.resources({ ...context, asset }));
}

function settings(variables: object = {}, declared: readonly Declared[] = []): string {
  const file = ofType(resources(variables, declared), 'file').find(
    (one) => 'path' in one && one.path === '/etc/hostwright/certificate.conf',
  );
  if (file === undefined || !('content' in file)) throw new Error('no settings');
  return String(file.content);
}

describe('the role certificate', () => {
  test('asks Let’s Encrypt for the domain and all other names', () => {
    const [issued] = ofType(resources({ certificate_names: ['Foobar.com'] }), 'acme_certificate');
    expect(issued).toMatchObject({
      names: ['www.foobar.com', 'foobar.com'],
      directory: 'https://acme-v02.api.letsencrypt.org/directory',
    });
    expect(settings({ certificate_names: ['Foobar.com'] })).toContain('\nnames=www.foobar.com foobar.com\n');
  });

  test('tells the script of a private CA and of addresses behind NAT', () => {
    const text = settings({
      acme_directory: 'https://10.0.0.9:14000/dir',
      acme_ca_file: '/etc/ssl/acme.pem',
      certificate_addresses: ['192.0.2.1', '2001:db8::1'],
    });
    expect(text).toContain('\ndirectory=https://10.0.0.9:14000/dir\n');
    expect(text).toContain('\nca_file=/etc/ssl/acme.pem\n');
    expect(text).toContain('\naddresses=192.0.2.1 2001:db8::1\n');
  });

  test('takes a name that leads to another balancer or to a floating address: all answer for the same account', () => {
    const accounts = hosts.slice(0, 2).map((host) => ({
      ...{ kind: 'acme_account', thumbprint: 'same', host, role: 'certificate' },
    }));
    expect(settings({}, accounts)).toContain('\naddresses=\nbalancers=10.0.0.2\n');
    const floating = hosts.slice(0, 2).map((host) => ({
      ...{ kind: 'floating_address', addresses: ['10.0.0.100', 'fd00::100'], host, role: 'floating_address' },
    }));
    expect(settings({}, [...accounts, ...floating])).toContain('\nbalancers=10.0.0.2 10.0.0.100 fd00::100\n');
    expect(settings()).toContain('\nbalancers=\n');
  });

  test('waits for HAProxy, which answers for it', () => {
    const issued = resources().find((resource) => resource.type.name === 'acme_certificate');
    expect(issued?.needs).toContain('service:haproxy.service');
  });

  test('says what answers the challenges of the CA for its account key, and keeps the key to root', () => {
    const context = contextOf(certificate.variables.parse(required));
    const { x, y } = createPublicKey(publicKey).export({ format: 'jwk' });
    const thumbprint = createHash('sha256')
      .update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)
      .digest('base64url');
    expect(certificate.declares?.(context)).toEqual([{ kind: 'acme_account', thumbprint }]);
    const key = ofType(resources(), 'file').find(
      (one) => 'path' in one && one.path === '/etc/hostwright/acme-account.key',
    );
    expect(key).toMatchObject({ mode: '0600' });
    expect(String(key && 'content' in key ? key.content : '')).toBe('***');
  });

  test('makes an account key that lego reads where none is set', async () => {
    const make = generatorOf(certificate.variables.shape.acme_account_key);
    const made = await make?.();
    expect(made).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/);
    expect(certificate.variables.safeParse({ ...required, acme_account_key: made }).success).toBe(true);
  });

  test.each([
    [
      'an account key in a form that lego does not read',
      { acme_account_key: accountKey.replaceAll('EC PRIVATE', 'PRIVATE') },
    ],
    ['an account key that is none', { acme_account_key: pem('EC', 'bm9uZQ==') }],
    ['a URL as a domain', { domain: 'https://www.foobar.com' }],
    ['a name without a dot, which no CA knows', { domain: 'www' }],
    ['a name with a second line', { certificate_names: ['a.b\ndirectory=https://evil.example'] }],
    ['a directory without TLS', { acme_directory: 'http://10.0.0.1/dir' }],
    ['an e-mail address that is none', { acme_email: 'me' }],
    ['a network in the place of an address', { certificate_addresses: ['10.0.0.0/8'] }],
  ])('refuses %s', (_, variables) => {
    expect(() => resources(variables)).toThrow();
  });
});
