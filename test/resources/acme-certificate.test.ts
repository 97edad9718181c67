import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare } from '../../src/plan/compare.ts';
import { acmeCertificate } from '../../src/resources/certificate/acme-certificate.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { sh } from '../../src/transport/shell.ts';
import { openRoot, probe, type Root } from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  port = await freePort();
  certificate = at(port);
  root = await openRoot({ network: true });
  await root.ask(sh`mkdir /ca
cd /ca
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=root -keyout ca.key -out ca.crt 2>/dev/null`);
}, 300_000);

afterAll(async () => root.close());

const directory = 'https://acme.example/dir';
const at = (port: number) =>
  acmeCertificate({
    names: ['www.foobar.com', 'foobar.com'],
    directory,
    bundle: '/site.pem',
    issued: '/issued.pem',
    issuedBy: '/issued-by',
    port,
    unit: 'issue.service',
    check: ['issue', 'check'],
  });

/** A port of this machine that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let port: number;
let certificate: Resource;

/** A bundle as a CA would issue it. */
async function issue({
  names = 'DNS:foobar.com,DNS:www.foobar.com',
  from = '20260101',
  to = '20990101',
} = {}) {
  await root.ask(sh`cd /ca
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=www.foobar.com -addext ${`subjectAltName=${names}`} -keyout key -out request 2>/dev/null
openssl x509 -req -in request -CA ca.crt -CAkey ca.key -copy_extensions copy -not_before ${`${from}000000Z`} -not_after ${`${to}000000Z`} -out crt 2>/dev/null
cat crt key >/site.pem
echo ${directory} >/issued-by`);
}

/** The attributes that differ from what is declared, beside `served`: nothing serves here. */
async function differences(): Promise<readonly string[]> {
  const desired = certificate.type.schema.parse(certificate.attributes);
  const difference = compare(certificate.type, desired, await probe(root, certificate));
  return (difference?.attributes ?? []).map(({ name }) => name).filter((name) => name !== 'served');
}

test('a certificate of the CA for the names is in order, in whatever order they are', async () => {
  await issue();
  expect(await differences()).toEqual([]);
  expect(await probe(root, certificate)).toMatchObject({ served: 'nothing' });
});

test('a self-signed one is not', async () => {
  await root.ask(
    sh`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=www.foobar.com -addext 'subjectAltName=DNS:www.foobar.com,DNS:foobar.com' -keyout /key -out /crt 2>/dev/null; cat /crt /key >/site.pem; echo ${directory} >/issued-by`,
  );
  expect(await differences()).toEqual(['issuer']);
});

test('nor one for other names, of another CA, or one that has run out', async () => {
  await issue({ names: 'DNS:www.foobar.com' });
  expect(await differences()).toEqual(['names']);
  await issue();
  await root.ask(sh`echo https://staging.example/dir >/issued-by`);
  expect(await differences()).toEqual(['directory']);
  await issue({ from: '20200101', to: '20210101' });
  expect(await differences()).toEqual(['validity']);
});

test('nor one that another CA has issued, however good it is', async () => {
  await issue();
  await root.ask(sh`cp /site.pem /issued.pem`);
  expect(await differences()).toEqual([]);
  await issue();
  expect(await differences()).toEqual(['issuer']);
  await root.ask(sh`rm /issued.pem`);
  expect(await differences()).toEqual([]);
});

test('one that is damaged or gone is seen', async () => {
  await root.ask(sh`echo damaged >/site.pem`);
  expect(await differences()).toEqual(['issuer', 'names', 'validity']);
  await root.ask(sh`rm /site.pem`);
  expect(await probe(root, certificate)).toBeNull();
});

test('one that another program serves is seen', async () => {
  await issue();
  await root.ask(sh`cp /site.pem /old.pem`);
  const served = async (file: string) => {
    await root.ask(sh`cp ${file} /served.pem
openssl s_server -accept ${`127.0.0.1:${port}`} -cert /served.pem -key /served.pem -quiet </dev/null >/dev/null 2>&1 &
echo $! >/server.pid
n=0
until openssl s_client -connect ${`127.0.0.1:${port}`} </dev/null >/dev/null 2>&1; do n=$((n + 1)); [ "$n" -lt 100 ]; sleep 0.1; done`);
    const state = await probe(root, certificate);
    await root.ask(sh`kill "$(cat /server.pid)"`);
    return state?.['served'];
  };
  expect(await served('/site.pem')).toBe('this certificate');
  await issue();
  expect(await served('/old.pem')).toBe('another');
});
