import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bareHosts, jsonLines, type Finished, type TestHosts } from '../lab/hosts.ts';
import { visitDoor, type Response } from '../lab/visit.ts';
import { watch } from './watch.ts';

const name = 'tiers';
const subnet = '10.213.155';
const domain = 'www.foobar.com';

let hosts: TestHosts;
let folder: string;
let root: string;
let first: { readonly plan: Finished; readonly apply: Finished };

const run = (...words: readonly string[]): Promise<Finished> =>
  hosts.hostwright(...words, '--json', '--no-diff', '-i', folder);

function visit(path: string, method: 'GET' | 'POST' = 'GET'): Promise<Response> {
  return visitDoor({ domain, address: hosts.address('web1'), root }, { path, method });
}

function changed(finished: Finished, type: 'change' | 'result'): readonly string[] {
  return jsonLines(finished)
    .filter((line) => line.type === type)
    .map((line) => [line['host'], line['resource'], line['action']].map(String).join(' '))
    .toSorted();
}

beforeAll(async () => {
  hosts = await bareHosts(name, subnet, 3);
  folder = await mkdtemp(join(tmpdir(), 'hostwright-tiers-'));
  await cp(resolve(import.meta.dirname, '../../inventory/lab-tiered'), folder, { recursive: true });
  for (const file of ['hosts.yml', 'group_vars/all/main.yml']) {
    const text = await readFile(join(folder, file), 'utf8');
    const own = text.replaceAll('10.213.77.', `${subnet}.`);
    await writeFile(join(folder, file), own.replaceAll('/hostwright-lab/lab/', `/hostwright-lab/${name}/`));
  }
  root = await readFile(`/var/lib/hostwright-lab/${name}/acme-root.pem`, 'utf8');
  const plan = await run('plan');
  first = { plan, apply: await run('apply', '--yes') };
});
afterAll(async () => {
  await hosts.down();
  await rm(folder, { recursive: true, force: true });
});

it('comes up from bare machines as planned, and needs nothing then', async () => {
  expect(first.apply.code, first.apply.stdout + first.apply.stderr).toBe(0);
  expect(changed(first.apply, 'result')).toEqual(changed(first.plan, 'change'));
  const again = await run('plan');
  expect(again.code, again.stdout).toBe(0);
});

it('has each part on its own host', async () => {
  const units = ['haproxy', 'nginx', 'haproxy-app', 'app-tls', 'visits', 'mysql'];
  const running = async (host: string): Promise<readonly string[]> => {
    const { stdout } = await hosts.ssh(host, `systemctl is-active ${units.join(' ')} || :`);
    const states = stdout.trim().split('\n');
    return units.filter((_, index) => states[index] === 'active');
  };
  expect(await running('web1')).toEqual(['haproxy', 'nginx', 'haproxy-app']);
  expect(await running('web2')).toEqual(['app-tls', 'visits']);
  expect(await running('web3')).toEqual(['mysql']);
});

it('answers, and writes into the database', async () => {
  expect((await visit('/api/visits')).status).toBe(200);
  expect((await visit('/api/visits', 'POST')).status).toBeLessThan(300);
});

it('lets nobody but a web server ask the application', async () => {
  const ask = (host: string, certificate: string): Promise<string> =>
    hosts.shell(
      host,
      `printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | timeout 5 openssl s_client -quiet -connect ${hosts.address('web2')}:9443 ${certificate} -CAfile /etc/hostwright/pki/ca.crt 2>/dev/null | head -1 || :`,
    );
  const pki = '/etc/hostwright/pki';
  expect(await ask('web1', `-cert ${pki}/app-proxy.crt -key ${pki}/app-proxy.key`)).toContain(' 200');
  expect(await ask('web1', `-cert ${pki}/nginx.crt -key ${pki}/nginx.key`)).toContain(' 403');
  expect(await ask('web1', '')).toContain(' 400');
  // The firewall.
  expect(await ask('web3', '')).toBe('');
});

it('says at once that the application is away, and is back by itself', async () => {
  await hosts.shell('web2', 'systemctl stop app-tls');
  await expect.poll(() => visit('/').then(({ status }) => status)).toBe(503);
  await hosts.shell('web2', 'systemctl start app-tls');
  await expect.poll(() => visit('/').then(({ status }) => status), { timeout: 20_000 }).toBe(200);
});

it('releases to a second host of the application one after the other, unnoticed', async () => {
  const file = join(folder, 'hosts.yml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/app:\n {6}hosts:\n {8}web2:/, '$&\n        web3:'));
  const joined = await run('apply', '--yes');
  expect(joined.code, joined.stdout).toBe(0);
  const visitors = watch(async () => {
    const { status } = await visit('/api/visits');
    if (status !== 200) throw new Error(`status ${status}`);
  });
  const change = await run('apply', '--yes', '-e', 'app_health_timeout=20', '-e', 'app_port=3001');
  const { failures } = await visitors.stop();
  expect(change.code, change.stdout).toBe(0);
  expect(failures).toEqual([]);
});
