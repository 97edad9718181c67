import { beforeAll, describe, expect, test } from 'vitest';
import pki from '../../roles/pki/role.ts';
import { createAuthority } from '../../src/pki/authority.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type { Declared } from '../../src/roles/role.ts';
import { generatorOf } from '../../src/secrets/schema.ts';
import { hosts, ofType, resourcesOf } from '../../src/testing/index.ts';

const [web1, web2] = hosts;
if (web1 === undefined || web2 === undefined) throw new Error('no hosts');

let pkiCa: string;

beforeAll(async () => {
  pkiCa = await createAuthority();
});

function resources(declared: readonly Declared[], variables: object = {}): readonly Resource[] {
  return resourcesOf(pki, { declared, variables: { pki_ca: pkiCa, ...variables } });
}

describe('the role pki', () => {
  test('issues what the roles of this host ask for, for the names of the host', () => {
    const made = resources([
      { kind: 'certificate', name: 'nginx', group: 'www-data', host: web1, role: 'nginx' },
      {
        kind: 'certificate',
        name: 'mysql',
        group: 'mysql',
        names: ['db.internal'],
        usage: ['server'],
        host: web1,
        role: 'mysql',
      },
      { kind: 'certificate', name: 'other', host: web2, role: 'app' },
    ]);
    expect(ofType(made, 'host_certificate')).toMatchObject([
      {
        name: 'nginx',
        group: 'www-data',
        names: ['web1', '10.0.0.1', 'localhost', '127.0.0.1'],
        validFor: '5y',
      },
      {
        name: 'mysql',
        group: 'mysql',
        usage: ['server'],
        names: ['web1', '10.0.0.1', 'localhost', '127.0.0.1', 'db.internal'],
      },
    ]);
  });

  test('makes the groups that no package is there for yet, and leaves those of Debian alone', () => {
    const made = resources([
      { kind: 'certificate', name: 'nginx', group: 'www-data', host: web1, role: 'nginx' },
      { kind: 'certificate', name: 'haproxy', host: web1, role: 'haproxy' },
      { kind: 'certificate', name: 'mysql', group: 'mysql', host: web1, role: 'mysql' },
    ]);
    expect(ofType(made, 'group')).toEqual([{ name: 'mysql', system: true, exclusive: true, keep: [] }]);
  });

  test('shows hosts the certificate of the CA and never its key', () => {
    const [authority] = ofType(resources([]), 'file');
    expect(authority).toMatchObject({ path: '/etc/hostwright/pki/ca.crt' });
    expect(JSON.stringify(authority)).toContain('BEGIN CERTIFICATE');
    expect(JSON.stringify(authority)).not.toContain('PRIVATE KEY');
  });

  test('trusts an old CA as long as its certificate is there', async () => {
    const old = await createAuthority();
    const [authority] = ofType(
      resources([], { pki_ca: pkiCa + old.slice(old.indexOf('-----BEGIN CERT')) }),
      'file',
    );
    expect(JSON.stringify(authority).split('BEGIN CERTIFICATE')).toHaveLength(3);
  });

  test('makes a CA when there is none', () => {
    expect(generatorOf(pki.variables.shape.pki_ca)).toBeDefined();
  });

  test.each([
    ['nothing of the kind', () => 'words that are secret, many of them, and no CA'],
    ['a certificate without its key', () => pkiCa.slice(pkiCa.indexOf('-----BEGIN CERT'))],
  ])('refuses %s without showing it', (_, value) => {
    const text = value();
    try {
      resources([], { pki_ca: text });
      expect.unreachable();
    } catch (error) {
      expect(String(error)).toContain('the value is not an internal CA');
      expect(String(error)).not.toContain(text.slice(30, 45));
    }
  });

  test('refuses the key of one CA with the certificate of another', async () => {
    const other = await createAuthority();
    const mixed =
      pkiCa.slice(0, pkiCa.indexOf('-----BEGIN CERT')) + other.slice(other.indexOf('-----BEGIN CERT'));
    expect(() => resources([], { pki_ca: mixed })).toThrow('the value is not an internal CA');
  });
});
