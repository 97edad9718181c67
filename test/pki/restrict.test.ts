import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, readAuthority } from '../../src/pki/authority.ts';
import { restrictedTo } from '../../src/pki/restrict.ts';
import { certificateFor, type Pair } from './certificate.ts';

/** What a client says of a server whose name it does not verify: `trusted`, or why not. */
async function verdict(trusted: string, { key, certificate }: Pair): Promise<string> {
  const server = createServer({ key, cert: certificate }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const options = { host: '127.0.0.1', port, ca: trusted, checkServerIdentity: () => undefined };
  const client = connect(options);
  const said = await once(client, 'secureConnect').then(
    () => 'trusted',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  client.destroy();
  server.close();
  return said;
}

const local = ['localhost', '127.0.0.1'] as const;
let authority: string;
let trusted: string;

beforeAll(async () => {
  authority = await createAuthority();
  trusted = readAuthority(authority).trusted.join('');
});

describe('a CA that is restricted to one host', () => {
  test('is good for the certificates of that host', async () => {
    const web1 = await certificateFor(authority, 'web1', '10.0.0.1', 'fd00::1', ...local);
    const renewed = await certificateFor(authority, 'web1', '10.0.0.1', 'fd00::1', ...local);
    const restricted = restrictedTo(web1.certificate, trusted);
    expect(await verdict(restricted, web1)).toBe('trusted');
    expect(await verdict(restricted, renewed)).toBe('trusted');
  });

  test.each([
    [['web2', '10.0.0.2', ...local]],
    [['web1', '10.0.0.2', ...local]],
    [['web2', '10.0.0.1', ...local]],
    [['web1', '10.0.0.1', 'fd00::2']],
    [['10.0.0.2']],
    [['web2']],
  ])('is not good for one that names %j', async (names) => {
    const web1 = await certificateFor(authority, 'web1', '10.0.0.1', 'fd00::1', ...local);
    const other = await certificateFor(authority, ...names);
    expect(await verdict(trusted, other)).toBe('trusted');
    expect(await verdict(restrictedTo(web1.certificate, trusted), other)).toBe('permitted subtree violation');
  });

  test.each([
    ['web1', '10.0.0.1'],
    ['10.0.0.1', 'web1'],
  ])('of which only %j is known is not good for one that has %j as well', async (known, other) => {
    const restricted = restrictedTo((await certificateFor(authority, known)).certificate, trusted);
    expect(await verdict(restricted, await certificateFor(authority, known))).toBe('trusted');
    expect(await verdict(restricted, await certificateFor(authority, known, other))).toBe(
      'excluded subtree violation',
    );
  });

  test('stands for each CA while an old one is still trusted', async () => {
    const old = await createAuthority();
    const both = trusted + readAuthority(old).trusted.join('');
    const restricted = restrictedTo((await certificateFor(old, 'web1', '10.0.0.1')).certificate, both);
    for (const signer of [old, authority]) {
      expect(await verdict(restricted, await certificateFor(signer, 'web1', '10.0.0.1'))).toBe('trusted');
      expect(await verdict(restricted, await certificateFor(signer, 'web2', '10.0.0.2'))).not.toBe('trusted');
    }
  });

  test('trusts no other CA', async () => {
    const web1 = await certificateFor(authority, 'web1');
    const foreign = await certificateFor(await createAuthority(), 'web1');
    expect(await verdict(restrictedTo(web1.certificate, trusted), foreign)).not.toBe('trusted');
  });
});
