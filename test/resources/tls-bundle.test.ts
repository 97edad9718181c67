import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { tlsBundle } from '../../src/resources/certificate/tls-bundle.ts';
import { sh } from '../../src/transport/shell.ts';
import { converge, openRoot, probe, type Root } from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
}, 300_000);

afterAll(async () => root.close());

const at = '/etc/haproxy/certs/site.pem';
const copy = '/var/lib/issued.pem';
const bundle = tlsBundle(at, { names: ['www.foobar.com', 'foobar.com'], copy });

beforeEach(async () => {
  await root.ask(sh`rm -rf /etc/haproxy ${copy}; mkdir -p /etc/haproxy/certs`);
});

async function subject(): Promise<string> {
  return root.ask(sh`openssl x509 -in ${at} -noout -subject -ext subjectAltName`);
}

test('a self-signed certificate for every name, and nothing beside it', async () => {
  await converge(root, bundle);
  expect(await subject()).toContain('DNS:www.foobar.com, DNS:foobar.com');
  expect(await root.ask(sh`stat -c '%a %U:%G' ${at}; ls -A /etc/haproxy/certs /etc/haproxy`)).toBe(
    '600 root:root\n/etc/haproxy:\ncerts\n\n/etc/haproxy/certs:\nsite.pem\n',
  );
  expect(await root.ask(sh`openssl verify -CAfile ${at} ${at}`)).toContain('OK');
});

test('one that is in order stays, whoever issued it', async () => {
  await converge(root, tlsBundle(at, { names: ['other.example'] }));
  const state = await probe(root, bundle);
  expect(bundle.type.want(bundle.type.schema.parse(bundle.attributes))).toEqual(state);
});

test.each([
  ['is cut off', sh`head -c 300 ${at} >${at}.cut; mv ${at}.cut ${at}`],
  ['is empty', sh`: >${at}`],
  ['has no key', sh`openssl x509 -in ${at} -out ${at}.crt; mv ${at}.crt ${at}`],
  ['is a directory', sh`rm ${at}; mkdir ${at}`],
  ['is a link', sh`mv ${at} /etc/haproxy/elsewhere; ln -s ../elsewhere ${at}`],
])('one that %s is made again', async (_, damage) => {
  await converge(root, bundle);
  await root.ask(damage);
  await converge(root, bundle);
});

test('the key stays when only the mode is wrong', async () => {
  await converge(root, bundle);
  const before = await root.ask(sh`sha256sum ${at}`);
  await root.ask(sh`chmod 0644 ${at}`);
  const change = await converge(root, bundle);
  expect(change.attributes.map(({ name }) => name)).toEqual(['mode']);
  expect(await root.ask(sh`sha256sum ${at}`)).toBe(before);
});

test('a copy in order is taken over before one is made, a damaged copy is not', async () => {
  await converge(root, tlsBundle(at, { names: ['issued.example'] }));
  await root.ask(sh`mv ${at} ${copy}`);
  await converge(root, bundle);
  expect(await subject()).toContain('DNS:issued.example');
  await root.ask(sh`rm ${at}; echo damaged >${copy}`);
  await converge(root, bundle);
  expect(await subject()).toContain('DNS:www.foobar.com');
});
