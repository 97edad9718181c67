import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { record, simulated, writeInventory, type Login } from '../../bench/scale/network.ts';
import { startServers, type Servers } from '../../bench/scale/servers.ts';
import type { HostOptions } from '../../bench/scale/simulated-host.ts';
import { mostAtOnce } from '../../bench/scale/visits.ts';
import { createConnect } from '../../src/transport/connect.ts';
import { jsonLines, run, type Finished } from './hosts.ts';
import { makeFolder, makeKey, startSshd, type Sshd } from './sshd.ts';

const command = resolve(import.meta.dirname, '../../bin/hostwright');
const { folder, remove } = makeFolder();
const login: Login = { user: 'root', privateKeyFile: join(folder, 'key') };
const authorized = makeKey(login.privateKeyFile);
const count = 60;

const role = `
import { defineRole, directory, file, z } from 'hostwright';
export default defineRole({
  name: 'still',
  variables: z.object({}),
  resources: () => [
    directory('${folder}/still'),
    ...Array.from({ length: 30 }, (_, index) => file('${folder}/still/' + index, { content: index + '\\n' })),
  ],
});
`;

/** A run of 60 hosts and these, on servers of their own. */
interface Network {
  readonly servers: Servers;
  readonly hostwright: (...words: readonly string[]) => Promise<Finished>;
}

let sshd: Sshd;
let recording: Awaited<ReturnType<typeof record>>;
const opened: Servers[] = [];

function plan(inventory: string, ...words: readonly string[]): Promise<Finished> {
  const all = ['plan', '-i', inventory, '--site', join(folder, 'site.yml'), '--json', ...words];
  return run(command, all, { env: { ...process.env, NO_COLOR: '1' } });
}

async function network(name: string, more: readonly HostOptions[] = [], sshArgs = ''): Promise<Network> {
  const hosts = [...more, ...simulated(count)];
  const servers = await startServers({ hosts, processes: 2, authorized, recording });
  opened.push(servers);
  await mkdir(join(folder, name));
  const inventory = await writeInventory(
    join(folder, name),
    servers.hosts,
    login,
    `-o ConnectTimeout=5 ${sshArgs}`,
  );
  return { servers, hostwright: (...words) => plan(inventory, ...words) };
}

beforeAll(async () => {
  await mkdir(join(folder, 'roles/still'), { recursive: true });
  await writeFile(join(folder, 'roles/still/role.ts'), role);
  await writeFile(join(folder, 'site.yml'), '- hosts: all\n  roles: [still]\n');
  execFileSync('sh', [
    '-euc',
    'umask 022; mkdir "$1"; for i in $(seq 0 29); do echo "$i" >"$1/$i"; done',
    'sh',
    join(folder, 'still'),
  ]);
  sshd = await startSshd({ authorized });
  const known = join(folder, 'known_hosts_of_sshd');
  await writeFile(known, `[127.0.0.1]:${sshd.port} ${sshd.hostKeys['ed25519']}\n`);
  const transport = await createConnect()({
    host: 'real',
    address: '127.0.0.1',
    port: sshd.port,
    user: 'root',
    privateKeyFile: login.privateKeyFile,
    become: false,
    sshArgs: `-F none -o UserKnownHostsFile=${known} -o GlobalKnownHostsFile=none -o IdentityAgent=none`,
  });
  recording = await record({
    folder,
    login,
    transport,
    run: async (inventory) => {
      const recorded = await plan(inventory);
      expect(recorded.code, recorded.stdout + recorded.stderr).toBe(0);
    },
  });
  await transport.close();
});

afterAll(async () => {
  await Promise.all(opened.map((servers) => servers.close()));
  await sshd.stop();
  remove();
});

/** The hosts of the summary. */
function summaryOf(finished: Finished): Record<string, Record<string, unknown>> {
  const last = jsonLines(finished).at(-1);
  expect(last?.type, finished.stderr).toBe('summary');
  return last?.['hosts'] as Record<string, Record<string, unknown>>;
}

describe('a plan of 60 hosts', () => {
  it.each([1, 7])('has no more than %i of them at a time, and asks each twice', async (forks) => {
    const { servers, hostwright } = await network(`forks${forks}`);
    const finished = await hostwright('--forks', String(forks));
    expect(finished.code, finished.stderr).toBe(0);
    const visits = await servers.visits();
    expect(visits.map(({ host }) => host).toSorted()).toEqual(
      simulated(count)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(new Set(visits.map(({ requests }) => requests))).toEqual(new Set([2]));
    expect(mostAtOnce(visits)).toBeLessThanOrEqual(forks);
    // One after the other would be no more than the option allows, and of no use.
    if (forks > 1) expect(mostAtOnce(visits)).toBeGreaterThan(1);
    const hosts = Object.values(summaryOf(finished));
    expect(hosts).toHaveLength(count);
    for (const host of hosts) expect(host).toMatchObject({ resources: 31, changes: 0, roundTrips: 2 });
  });

  it('is shared by workers, which accept new keys side by side and never go beyond --forks together', async () => {
    const { servers, hostwright } = await network('workers', [], '-o StrictHostKeyChecking=accept-new');
    const known = join(folder, 'workers/known_hosts');
    await writeFile(known, '');
    const finished = await hostwright('--forks', '7', '--workers', '2');
    expect(finished.code, finished.stderr).toBe(0);
    const visits = await servers.visits();
    expect(visits).toHaveLength(count);
    expect(mostAtOnce(visits)).toBeLessThanOrEqual(7);
    expect(Object.keys(summaryOf(finished))).toEqual(simulated(count).map(({ name }) => name));
    const lines = (await readFile(known, 'utf8')).trimEnd().split('\n');
    const expected = servers.hosts.map(({ address, port, hostKey }) => `[${address}]:${port} ${hostKey}`);
    expect(lines.toSorted()).toEqual(expected.toSorted());
  });

  it('is divided by --shard into parts that have each host once, and merged again', async () => {
    const { servers, hostwright } = await network('shards');
    const parts = await Promise.all([1, 2, 3].map((index) => hostwright('--shard', `${index}/3`)));
    const files = parts.map((_, index) => join(folder, `shards/${index}.jsonl`));
    for (const [index, part] of parts.entries()) {
      expect(part.code, part.stderr).toBe(0);
      await writeFile(files[index] ?? '', part.stdout);
    }
    const visits = await servers.visits();
    expect(new Set(visits.map(({ host }) => host)).size).toBe(count);
    expect(visits).toHaveLength(count);
    const merged = await run(command, ['report', 'merge', '--json', ...files]);
    expect(merged.code, merged.stderr).toBe(0);
    expect(Object.keys(summaryOf(merged))).toHaveLength(count);
    expect(merged.stderr).toContain('Nothing to do: 1860 resources unchanged on 60 hosts.');
  });

  it('goes on with the others while hosts are silent, each of which costs its own time only', async () => {
    const silent: readonly HostOptions[] = [
      { name: 'deaf', address: '127.0.2.1', silent: 'tcp' },
      { name: 'mute', address: '127.0.2.2', silent: 'shell' },
    ];
    const { servers, hostwright } = await network('silent', silent);
    const finished = await hostwright('--forks', '4');
    const visits = await servers.visits();
    const hosts = summaryOf(finished);
    // Both stand first in the inventory and hold two of the four places until their time is over.
    const longest = Math.max(
      ...visits
        .filter(({ host }) => !silent.some(({ name }) => name === host))
        .map(({ until }) => until ?? Infinity),
    );
    for (const { name } of silent) {
      const own = visits.filter(({ host }) => host === name);
      expect(own).toHaveLength(1);
      expect(own[0]?.until).toBeDefined();
    }
    const mute = visits.find(({ host }) => host === 'mute');
    expect(longest).toBeLessThan(mute?.until ?? 0);
    expect(hosts['deaf']).toMatchObject({ unreachable: true });
    expect(hosts['mute']).toMatchObject({ resources: 0 });
    const others = Object.entries(hosts).filter(([name]) => !silent.some((one) => one.name === name));
    expect(others).toHaveLength(count);
    for (const [, host] of others) expect(host).toMatchObject({ changes: 0, failed: 0, roundTrips: 2 });
    expect(jsonLines(finished).filter(({ type }) => type === 'error')).toHaveLength(2);
  });
});
