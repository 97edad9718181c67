import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from './hosts.ts';
import { makeFolder, makeKey, startSshd, type Sshd } from './sshd.ts';

const command = resolve(import.meta.dirname, '../../bin/hostwright');
const { folder, remove } = makeFolder();

let sshd: Sshd;
let strict: Sshd;
/** In the place of the front, which test/faults/dashboard.test.ts has on a host. */
let front: Server;

/** An inventory with one host, in this group, that is reached by that sshd. */
function inventory(name: string, { port, hostKeys }: Sshd, group: string, dashboardPort: number): string {
  const [file, known] = [join(folder, `${name}.yml`), join(folder, `${name}.known`)];
  writeFileSync(known, `[127.0.0.1]:${port} ${hostKeys['ed25519']}\n`);
  const host = {
    ansible_host: '127.0.0.1',
    ansible_port: port,
    ansible_user: 'root',
    ansible_ssh_private_key_file: join(folder, 'key'),
    ansible_ssh_common_args: `-F none -o UserKnownHostsFile=${known}`,
    dashboard_port: dashboardPort,
  };
  writeFileSync(file, JSON.stringify({ all: { children: { [group]: { hosts: { web1: host } } } } }));
  return file;
}

function refused(file: string) {
  return run(command, ['dashboard', '--no-open', '-i', file]);
}

beforeAll(async () => {
  const authorized = makeKey(join(folder, 'key'));
  sshd = await startSshd({ authorized });
  strict = await startSshd({ authorized, config: 'AllowTcpForwarding no' });
  front = createServer((_request, response) => {
    response.setHeader('Content-Security-Policy', "default-src 'none'");
    response.end('the page');
  });
  await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
});

afterAll(async () => {
  front.close();
  await Promise.all([sshd.stop(), strict.stop()]);
  remove();
});

it('shows the page of the monitoring host through ssh, until Ctrl-C', async () => {
  const { port } = front.address() as AddressInfo;
  const file = inventory('good', sshd, 'monitoring', port);
  const child = spawn(command, ['dashboard', '--no-open', '-i', file]);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  await expect.poll(() => out, { timeout: 60_000 }).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
  // The port is taken here by the front itself: another one is free.
  expect(out).not.toContain(`:${port}/`);
  const pages = Array.from({ length: 20 }, async () => (await fetch(out.trim())).text());
  expect(new Set(await Promise.all(pages))).toEqual(new Set(['the page']));
  child.kill('SIGINT');
  expect(await ended).toBe(0);
});

it('says what is missing: a host, the page, or the right to forward', async () => {
  const nobody = await refused(inventory('nobody', sshd, 'web', 1));
  expect(nobody.stderr).toContain('E_INVENTORY');
  expect(nobody.stderr).toContain('add a host to the group monitoring');
  const missing = await refused(inventory('missing', sshd, 'monitoring', 1));
  expect(missing.stderr).toContain('nothing listens on 127.0.0.1 port 1');
  expect(missing.stderr).toContain('hostwright apply --limit web1');
  const forbidden = await refused(inventory('forbidden', strict, 'monitoring', 1));
  expect(forbidden.stderr).toContain('AllowTcpForwarding local');
  for (const { code } of [nobody, missing, forbidden]) expect(code).not.toBe(0);
});
