import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAuthority } from '../../src/pki/authority.ts';
import { compare } from '../../src/plan/compare.ts';
import { hostCertificate } from '../../src/resources/certificate/host-certificate.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type { Change } from '../../src/resources/state.ts';
import type { Ask } from '../../src/resources/step.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { sh } from '../../src/transport/shell.ts';
import { HostwrightError } from '../../src/errors.ts';
import { openRoot, probe, type Root } from '../../src/testing/index.ts';

let root: Root;
let authority: Secret;

beforeAll(async () => {
  root = await openRoot();
  authority = new Secret(await createAuthority());
}, 300_000);

afterAll(async () => root.close());

const day = 86_400;
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

/** A host whose clock is some seconds off. */
function clockOff(seconds: number): Ask {
  return async (script, stdin) => {
    const answer = await ask(script, stdin);
    return Buffer.from(
      answer.toString('utf8').replace(/^\d+/, (clock) => String(Number(clock) + Math.round(seconds))),
    );
  };
}

async function issueOn(change: Change, resource: Resource, host: Ask): Promise<void> {
  const [step] = resource.type.apply([change], { declared: () => [] });
  if (step === undefined || !('converse' in step)) throw new Error('no conversation');
  await step.converse(host);
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
  });

  test.each([
    ['now', 0],
    ['by a clock that is 23 hours behind', -23 / 24],
    ['by a site that nobody has touched for four years', 4 * 365],
  ])('is accepted with its CA %s, by the strict rules of openssl', async (_, days) => {
    const text = authority.reveal();
    const ca = Buffer.from(text.slice(text.indexOf('-----BEGIN CERT')));
    const at = String(Math.round(Date.now() / 1000 + days * day));
    for (const purpose of ['sslserver', 'sslclient']) {
      const answer = await root.run(
        sh`openssl verify -attime ${at} -x509_strict -purpose ${purpose} -verify_hostname web1 -CAfile /dev/stdin ${`${folder}/nginx.crt`}`,
        ca,
      );
      expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
    }
  });

  test('has a key that never leaves the host and that only its group may read', async () => {
    const key = await read('nginx.key');
    expect(key).toContain('PRIVATE KEY');
    const middle = key.split('\n')[1] ?? '';
    expect(asked.join('\n')).not.toContain(middle);
    expect(asked.join('\n')).not.toContain(authority.reveal().split('\n')[1]);
    const { type, attributes } = certificate();
    const { script, stdin } = type.probe([type.schema.parse(attributes)]);
    const answer = (await root.run(script, stdin)).stdout.toString('latin1');
    // The form and the public half stand around it.
    const secret = key.split('\n').slice(1, -2).join('').slice(48, 92);
    for (let at = 0; at < secret.length - 12; at += 1)
      expect(answer).not.toContain(secret.slice(at, at + 12));
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
    ['a bundle that is cut off', sh`truncate -s -1 ${folder}/nginx.pem`],
    [
      'a byte of the bundle',
      sh`printf '\0' | dd of=${folder}/nginx.pem bs=1 seek=100 conv=notrunc status=none`,
    ],
  ])('keeps its key when only %s is to be put right', async (_, damage) => {
    const before = await read('nginx.key');
    await root.ask(damage);
    await converge(certificate());
    expect(await read('nginx.key')).toBe(before);
  });

  test('fits a key in another form too', async () => {
    await root.ask(sh`cd ${folder}
openssl ec -in nginx.key -out k 2>/dev/null
cat k >nginx.key; rm k`);
    expect(await read('nginx.key')).toContain('EC PRIVATE KEY');
    expect(await converge(certificate())).toEqual(['bundle']);
    await root.ask(sh`openssl genrsa -out ${folder}/nginx.key 2048`);
    expect(await converge(certificate())).toEqual(['key', 'bundle']);
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

  test('is issued again for another time than it was declared for', async () => {
    expect(await converge(certificate({ validFor: '90d' }))).toEqual(['validFor']);
    expect((await changeOf(certificate()))?.attributes).toEqual([
      { name: 'validFor', from: '90 days', to: '1825 days' },
    ]);
    expect(await converge(certificate())).toEqual(['validFor']);
  });

  test('is not issued again and again where its CA ends before', async () => {
    const endless = certificate({ validFor: '100y' });
    await converge(endless);
    const ca = new X509Certificate(authority.reveal().slice(authority.reveal().indexOf('-----BEGIN CERT')));
    expect(new X509Certificate(await read('nginx.crt')).validTo).toBe(ca.validTo);
    expect(await converge(certificate())).toEqual(['validFor']);
  });
});

describe('a certificate that was issued some time ago', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** The same as then, on a host and a controller whose clocks agreed. */
  async function issuedBefore(seconds: number, resource: Resource): Promise<void> {
    await root.ask(sh`rm -rf ${folder}; mkdir -p ${folder}`);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - seconds * 1000 });
    const change = await changeOf(resource);
    if (change === undefined) throw new Error('there is nothing to change');
    await issueOn(change, resource, clockOff(-seconds));
    vi.useRealTimers();
  }

  test.each([
    ['of 5 years, young', '5y', 58, undefined],
    ['of 5 years, old', '5y', 60, 'due: 61 days old'],
    ['of 5 years, left alone for four of them', '5y', 4 * 365, 'due: 1461 days old'],
    ['of 5 years, run out', '5y', 5 * 365, 'due: expired'],
    ['of 9 days, young', '9d', 4, undefined],
    ['of 9 days, old', '9d', 6, 'due: 7 days old'],
    ['of an hour, young', '1h', 20 / 1440, undefined],
    ['of an hour, old', '1h', 40 / 1440, 'due: 46 minutes old'],
  ] as const)('%s', async (_, validFor, days, due) => {
    const resource = certificate({ validFor });
    // A CA older than its certificates; the one of the other tests is not.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 10 * 365 * day * 1000 });
    const old = new Secret(await createAuthority());
    vi.useRealTimers();
    const aged = { ...resource, attributes: { ...resource.attributes, authority: old } };
    await issuedBefore(days * day, aged);
    expect((await changeOf(aged))?.attributes).toEqual(
      due === undefined ? undefined : [{ name: 'renewal', from: due, to: 'not due' }],
    );
    if (due !== undefined) await converge(aged);
  });
});

test.each([
  [-7200, '2 hours behind', '90m'],
  [-3 * day, '3 days behind', '5y'],
  [70 * day, '70 days ahead', '5y'],
])('a host whose clock is %s s off gets no certificate and is told why', async (off, words, validFor) => {
  const resource = hostCertificate('other', { names: ['web1'], authority, validFor });
  const change = await changeOf(resource);
  if (change === undefined) throw new Error('there is nothing to change');
  await expect(issueOn(change, resource, clockOff(off))).rejects.toThrow(words);
  expect(await root.ask(sh`ls ${folder}`)).not.toContain('other');
});

test.each([-3600, 30 * day])('a clock that is %s s off does no harm', async (off) => {
  const resource = hostCertificate('tolerated', { names: ['web1'], authority });
  const change = await changeOf(resource);
  if (change === undefined) throw new Error('there is nothing to change');
  await issueOn(change, resource, clockOff(off));
  expect(await changeOf(resource)).toBeUndefined();
  await root.ask(sh`rm ${folder}/tolerated.*`);
});
