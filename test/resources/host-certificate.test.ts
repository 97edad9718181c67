import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAuthority } from '../../src/pki/authority.ts';
import { compare } from '../../src/plan/compare.ts';
import { hostCertificate, hostCertificateType } from '../../src/resources/host-certificate.ts';
import { renewal } from '../../src/resources/host-certificate-state.ts';
import type { Ask, Change, Resource } from '../../src/resources/resource.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { sh } from '../../src/transport/shell.ts';
import { HostwrightError } from '../../src/errors.ts';
import { openRoot, probe, type Root } from './on-a-root.ts';

let root: Root;
let authority: Secret;

beforeAll(async () => {
  root = await openRoot();
  authority = new Secret(await createAuthority());
}, 300_000);

afterAll(async () => root.close());

const folder = '/etc/hostwright/pki';
const names = ['web1', 'www.foobar.com', '10.0.0.1', 'fd00::a', 'localhost'];

const certificate = (attributes: Partial<Parameters<typeof hostCertificate>[1]> = {}): Resource =>
  hostCertificate('nginx', { names: ['web1', ...names], group: 'www-data', authority, ...attributes });

const asked: string[] = [];
const ask: Ask = async (script, stdin) => {
  asked.push(script.text, Buffer.from(stdin ?? []).toString('utf8'));
  const answer = await root.run(script, stdin);
  if (answer.code !== 0) throw new HostwrightError('E_REMOTE', answer.stderr.toString('utf8'));
  return answer.stdout;
};

async function changeOf(resource: Resource): Promise<Change | undefined> {
  const desired = resource.type.schema.parse(resource.attributes);
  const actual = await probe(root, resource);
  const difference = compare(resource.type, desired, actual);
  return difference && { id: 'host_certificate:nginx', desired, actual, ...difference };
}

/** Applies what differs, expects nothing to differ afterwards, and gives the names of what did. */
async function converge(resource: Resource): Promise<readonly string[]> {
  const change = await changeOf(resource);
  if (change === undefined) throw new Error('there is nothing to change');
  for (const step of resource.type.apply([change], { declared: () => [] })) {
    if ('converse' in step) await step.converse(ask);
    else await ask(step.script, step.stdin);
  }
  expect((await changeOf(resource))?.attributes).toBeUndefined();
  return change.attributes.map((attribute) => attribute.name);
}

async function read(name: string): Promise<string> {
  return root.ask(sh`cat ${`${folder}/${name}`}`);
}

describe('a certificate on a host', () => {
  beforeEach(async () => {
    await root.ask(sh`rm -rf ${folder}; mkdir -p ${folder}`);
    await converge(certificate());
  });

  test('is signed by the CA for the declared names and usage', async () => {
    const found = new X509Certificate(await read('nginx.crt'));
    const own = new X509Certificate(authority.reveal().slice(authority.reveal().indexOf('-----BEGIN CERT')));
    expect(found.verify(own.publicKey)).toBe(true);
    expect(found.checkIssued(own)).toBe(true);
    for (const name of ['web1', 'www.foobar.com', 'localhost']) expect(found.checkHost(name)).toBe(name);
    for (const name of ['10.0.0.1', 'fd00::a']) expect(found.checkIP(name)).toBe(name);
    expect(found.checkHost('web2')).toBeUndefined();
    expect(found.ca).toBe(false);
    expect(found.subject).toBe('CN=nginx');
    expect(Number(new Date(found.validTo)) - Date.now()).toBeGreaterThan(89 * 86_400_000);
  });

  test('is accepted by openssl under its strict rules', async () => {
    const text = authority.reveal();
    const answer = await root.run(
      sh`openssl verify -x509_strict -purpose sslserver -verify_hostname web1 -CAfile /dev/stdin ${`${folder}/nginx.crt`}`,
      Buffer.from(text.slice(text.indexOf('-----BEGIN CERT'))),
    );
    expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
  });

  test('has a key that never leaves the host and that only its group may read', async () => {
    const key = await read('nginx.key');
    expect(key).toContain('PRIVATE KEY');
    const middle = key.split('\n')[1] ?? '';
    expect(asked.join('\n')).not.toContain(middle);
    expect(asked.join('\n')).not.toContain(authority.reveal().split('\n')[1]);
    expect(
      await root.ask(sh`stat -c '%a %U:%G' ${['key', 'pem', 'crt'].map((e) => `${folder}/nginx.${e}`)}`),
    ).toBe('640 root:www-data\n640 root:www-data\n644 root:root\n');
    expect(await read('nginx.pem')).toBe((await read('nginx.crt')) + key);
    expect(await root.ask(sh`ls -A ${folder}`)).toBe('nginx.crt\nnginx.key\nnginx.pem\n');
  });

  test.each([
    ['a damaged certificate', sh`echo garbage >${folder}/nginx.crt`],
    ['an empty certificate', sh`: >${folder}/nginx.crt`],
    ['a certificate that is gone', sh`rm ${folder}/nginx.crt`],
    ['a directory in its place', sh`rm ${folder}/nginx.crt; mkdir ${folder}/nginx.crt`],
    ['a missing key', sh`rm ${folder}/nginx.key`],
    ['a damaged key', sh`head -c 100 ${folder}/nginx.key >${folder}/k; mv ${folder}/k ${folder}/nginx.key`],
    [
      'another key',
      sh`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${folder}/nginx.key`,
    ],
  ])('is issued again after %s', async (_, damage) => {
    const before = await read('nginx.key');
    await root.ask(damage);
    await converge(certificate());
    expect(await read('nginx.key')).not.toBe(before);
  });

  test.each([
    ['a mode', sh`chmod 0644 ${folder}/nginx.key`],
    ['an owner', sh`chgrp root ${folder}/nginx.pem`],
    ['a missing bundle', sh`rm ${folder}/nginx.pem`],
    ['a damaged bundle', sh`echo >>${folder}/nginx.pem`],
  ])('keeps its key when only %s is to be put right', async (_, damage) => {
    const before = await read('nginx.key');
    await root.ask(damage);
    await converge(certificate());
    expect(await read('nginx.key')).toBe(before);
  });

  test('is issued again for other names, another usage and another CA', async () => {
    expect(await converge(certificate({ names: ['web1'] }))).toEqual(['names']);
    expect(await converge(certificate({ names: ['web1'], usage: ['client'] }))).toEqual(['usage']);
    const other = new Secret(await createAuthority());
    expect(await converge(certificate({ names: ['web1'], usage: ['client'], authority: other }))).toEqual([
      'authority',
    ]);
  });

  test('is not issued again for another spelling or order of the same names', async () => {
    const same = [...names]
      .toReversed()
      .map((name) => (name === 'fd00::a' ? 'FD00:0:0:0:0:0:0:A' : name.toUpperCase()));
    expect(await changeOf(certificate({ names: ['WEB1', ...same] }))).toBeUndefined();
  });

  test('is renewed by the clock of the host', async () => {
    const [, first] = await Promise.all([
      read('nginx.crt'),
      root.run(
        hostCertificateType.probe([hostCertificateType.schema.parse(certificate().attributes)]).script,
      ),
    ]);
    const later = (days: number): Buffer =>
      Buffer.from(
        first.stdout
          .toString('utf8')
          .replace(/^clock=(\d+)/, (_, clock) => `clock=${Number(clock) + days * 86_400}`),
      );
    const batch = [hostCertificateType.schema.parse(certificate().attributes)];
    const renewalAfter = (days: number) => hostCertificateType.parse(later(days), batch)[0];
    expect(renewalAfter(59)).toMatchObject({ renewal: 'not due' });
    // Half a day away from the border of two numbers: seconds have passed since it was issued.
    expect(renewalAfter(60.5)).toMatchObject({ renewal: 'due: 29 of 90 days are left' });
    expect(renewalAfter(91)).toMatchObject({ renewal: 'due: it has run out' });
    expect(renewalAfter(-2)).toMatchObject({ renewal: 'due: not valid yet' });
  });
});

/** A host an hour behind. */
const behind: Ask = async (script, stdin) => {
  const answer = await ask(script, stdin);
  return Buffer.from(answer.toString('utf8').replace(/^\d+/, (clock) => String(Number(clock) - 3600)));
};

test('a host whose clock is wrong gets no certificate and is told why', async () => {
  const resource = hostCertificate('other', { names: ['web1'], authority });
  const change = await changeOf(resource);
  if (change === undefined) throw new Error('there is nothing to change');
  const [step] = resource.type.apply([change], { declared: () => [] });
  if (step === undefined || !('converse' in step)) throw new Error('no conversation');
  await expect(step.converse(behind)).rejects.toThrow('60 minutes behind');
});

test('a third of the time decides, whatever the time is', () => {
  expect(renewal(0, 300, 200)).toBe('not due');
  expect(renewal(0, 300, 201)).toContain('due: 0 of 0 days');
  expect(renewal(Number.NaN, 300, 1)).toBe('due: its time cannot be read');
});
