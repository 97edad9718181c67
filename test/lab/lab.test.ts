import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { acmeDirectory, acmeRoot } from '../../src/lab/acme.ts';
import { down, reset, up } from '../../src/lab/lab.ts';
import { hostRecord } from '../../src/lab/host.ts';
import { inventoryText } from '../../src/lab/inventory.ts';
import { findProcess } from '../../src/lab/process.ts';
import { bridgeName, labFolders, labSettings } from '../../src/lab/settings.ts';
import { knownHosts, userKey } from '../../src/lab/ssh.ts';
import { status } from '../../src/lab/status.ts';
import { waitFor } from '../../src/lab/wait.ts';

const run = promisify(execFile);
const settings = labSettings({ HOSTWRIGHT_LAB: 'labtest', HOSTWRIGHT_LAB_SUBNET: '10.213.177' });
const inventory = fileURLToPath(new URL('../../inventory/lab', import.meta.url));
const context = { progress: () => undefined, environment: {}, inventory };

/** As any user would log in, who trusts the known_hosts of the lab and nothing else. */
async function ssh(address: string, command: string): Promise<string> {
  const options = [
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=yes',
    '-o',
    `UserKnownHostsFile=${knownHosts(settings)}`,
  ];
  const { stdout } = await run('ssh', [
    '-F',
    'none',
    '-i',
    userKey(settings),
    ...options,
    `admin@${address}`,
    command,
  ]);
  return stdout.trim();
}

async function processesOfLab(): Promise<readonly string[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    numbers.map((number) => readFile(join('/proc', number, 'cmdline'), 'utf8').catch(() => '')),
  );
  const marks = [`--machine=${settings.name}-`, `${labFolders(settings).home}/`, `${settings.subnet}.1:`];
  return commands.filter((command) => marks.some((mark) => command.includes(mark)));
}

beforeAll(async () => {
  await down(settings, { purge: false }, context.progress);
  await up(settings, { hosts: 3, releases: ['trixie', 'bookworm', 'forky'] }, context);
});

afterAll(async () => {
  await down(settings, { purge: false }, context.progress);
});

test('admin becomes root on every host, which has the name, the release and the addresses it shall have', async () => {
  const lab = await status(settings);
  expect(lab.up).toBe(true);
  expect(lab.hosts.map(({ name, address }) => [name, address])).toEqual([
    ['web1', '10.213.177.11'],
    ['web2', '10.213.177.12'],
    ['web3', '10.213.177.13'],
  ]);
  for (const host of lab.hosts) {
    const said = await ssh(
      host.address,
      'sudo -n id -un; cat /etc/hostname; . /etc/os-release; echo "$VERSION_CODENAME"; systemctl is-system-running',
    );
    expect(said.split('\n')).toEqual(['root', host.name, host.release, 'running']);
    expect(await ssh(host.address6, 'cat /etc/hostname')).toBe(host.name);
  }
});

test('a host is bare', async () => {
  await expect(
    ssh('10.213.177.11', 'command -v python3 || command -v curl || command -v nginx'),
  ).rejects.toThrow();
});

test('hosts find each other and the site by name', async () => {
  expect(await ssh('10.213.177.12', 'getent hosts www.foobar.com')).toMatch(/^10\.213\.177\.11\s/);
  expect(await ssh('10.213.177.11', 'getent hosts web2')).toMatch(/^10\.213\.177\.12\s/);
  await expect(ssh('10.213.177.11', 'getent hosts www.example.org')).rejects.toThrow();
});

test('packages install, and a reset makes the host bare again with the same host keys', async () => {
  await ssh(
    '10.213.177.11',
    'sudo apt-get -q update && sudo DEBIAN_FRONTEND=noninteractive apt-get -qy install tree',
  );
  await ssh('10.213.177.12', 'touch untouched');
  expect(await ssh('10.213.177.11', 'command -v tree')).toBe('/usr/bin/tree');
  const identity = await ssh('10.213.177.11', 'cat /etc/machine-id');
  await reset(settings, ['web1'], context);
  await expect(ssh('10.213.177.11', 'command -v tree')).rejects.toThrow();
  expect(await ssh('10.213.177.11', 'cat /etc/machine-id')).toBe(identity);
  expect(await ssh('10.213.177.12', 'ls')).toBe('untouched');
});

test('Debian sid can be had on a host', async () => {
  const list = "echo 'deb http://deb.debian.org/debian sid main' | sudo tee /etc/apt/sources.list.d/sid.list";
  await ssh('10.213.177.12', `${list} && sudo apt-get -q update`);
  expect(await ssh('10.213.177.12', 'apt-cache policy mysql-server')).toMatch(/Candidate: 9\./);
});

test('hosts trust the address of the ACME CA, but not what it issues', async () => {
  const root = new X509Certificate(await readFile(acmeRoot(settings)));
  expect(root.ca).toBe(true);
  await ssh(
    '10.213.177.11',
    'sudo apt-get -q update && sudo DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends curl',
  );
  const directory: unknown = JSON.parse(await ssh('10.213.177.11', `curl -sS ${acmeDirectory(settings)}`));
  expect(directory).toHaveProperty('newOrder');
  const trusted = await ssh('10.213.177.11', 'cat /etc/ssl/certs/ca-certificates.crt');
  expect(trusted).not.toContain(root.toString().split('\n')[1]);
});

test('what was killed is started again with all that was on it; what runs is left alone', async () => {
  await ssh('10.213.177.12', 'sudo sh -c "echo kept > /etc/kept; sync"');
  const before = await findProcess(hostRecord(settings, 'web1'));
  const victim = await findProcess(hostRecord(settings, 'web2'));
  if (victim === undefined) throw new Error('web2 does not run');
  process.kill(victim.pid, 'SIGKILL');
  await waitFor(5000, async () =>
    (await findProcess(hostRecord(settings, 'web2'))) === undefined ? true : undefined,
  );
  expect((await status(settings)).up).toBe(false);
  await up(settings, {}, context);
  expect((await status(settings)).up).toBe(true);
  expect(await ssh('10.213.177.12', 'cat /etc/kept')).toBe('kept');
  expect(await findProcess(hostRecord(settings, 'web1'))).toEqual(before);
});

test('the services of the lab come back too, and know their names', async () => {
  const names = ['acme', 'dns', 'proxy'];
  for (const name of names) {
    const found = await findProcess(join(labFolders(settings).run, name));
    if (found === undefined) throw new Error(`${name} does not run`);
    process.kill(found.pid, 'SIGKILL');
  }
  await waitFor(5000, async () =>
    (await status(settings)).services.some(({ ready }) => ready) ? undefined : true,
  );
  await up(settings, {}, context);
  expect((await status(settings)).services.map(({ ready }) => ready)).toEqual([true, true, true]);
  expect(await ssh('10.213.177.12', 'getent hosts www.foobar.com')).toMatch(/^10\.213\.177\.11\s/);
});

test('a host that reboots itself comes back', async () => {
  const before = await ssh('10.213.177.11', 'cat /proc/sys/kernel/random/boot_id');
  await ssh('10.213.177.11', 'sudo systemctl --no-block reboot').catch(() => undefined);
  const after = await waitFor(60_000, async () => {
    const now = await ssh('10.213.177.11', 'cat /proc/sys/kernel/random/boot_id').catch(() => before);
    return now === before ? undefined : now;
  });
  expect(after).toMatch(/^[0-9a-f-]{36}$/);
});

test('a lab that is there is not bent into another one', async () => {
  await expect(up(settings, { hosts: 2 }, context)).rejects.toMatchObject({ code: 'E_LAB' });
  await expect(up(settings, { releases: ['bookworm'] }, context)).rejects.toMatchObject({ code: 'E_LAB' });
  await expect(reset(settings, ['web9'], context)).rejects.toMatchObject({ code: 'E_USAGE' });
});

test('the subnet of another interface is refused before anything is made', async () => {
  const second = labSettings({ HOSTWRIGHT_LAB: 'labtest2', HOSTWRIGHT_LAB_SUBNET: '10.213.177' });
  await expect(up(second, {}, context)).rejects.toMatchObject({
    code: 'E_LAB',
    found: expect.stringContaining('hwl-labtest'),
  });
  expect(existsSync(labFolders(second).home)).toBe(false);
});

test('inventory/lab is the inventory of the default lab', async () => {
  const hosts = [1, 2, 3].map((number) => ({ name: `web${number}`, number }));
  const committed = await readFile(join(inventory, 'hosts.yml'), 'utf8');
  expect(inventoryText(labSettings({}), hosts)).toBe(committed);
});

test('the inventory of the lab leads to its hosts', async () => {
  const text = await readFile(join(labFolders(settings).inventory, 'hosts.yml'), 'utf8');
  expect(text).toContain('ansible_host: 10.213.177.12');
  expect(text).toContain(userKey(settings));
});

test('down leaves no process, no mount, no bridge, no cgroup and no folder but the log', async () => {
  expect((await processesOfLab()).length).toBeGreaterThan(4);
  await down(settings, { purge: false }, context.progress);
  expect(await processesOfLab()).toEqual([]);
  expect(await readFile('/proc/mounts', 'utf8')).not.toContain(`/${settings.name}/`);
  expect(existsSync(`/sys/class/net/${bridgeName(settings)}`)).toBe(false);
  expect((await run('find', ['/sys/fs/cgroup', '-name', bridgeName(settings)])).stdout).toBe('');
  expect(existsSync(labFolders(settings).home)).toBe(false);
  expect(existsSync(join(labFolders(settings).log, 'web1.log'))).toBe(true);
});
