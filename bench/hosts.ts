import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { timed, type Timed } from './process.ts';

export const lab = '/var/lib/hostwright-lab/bench';
const subnet = '10.213.94';
export const environment = { HOSTWRIGHT_LAB: 'bench', HOSTWRIGHT_LAB_SUBNET: subnet, NO_COLOR: '1' };

export const root = resolve(import.meta.dirname, '..');
export const hostwright = join(root, 'bin/hostwright');
export const names = ['web1', 'web2', 'web3'];

export interface Way {
  readonly address: string;
  readonly port: number;
}

/** How the hosts are reached: themselves, or through something in the path. */
export interface Hosts {
  readonly ways: ReadonlyMap<string, Way>;
  /** A file that Hostwright and Ansible read alike. */
  readonly inventory: string;
  /** Words of ssh(1) that are the same for every host. */
  readonly sshOptions: readonly string[];
}

const key = join(lab, 'ssh/id_ed25519');

/** The release whose Python the ansible-core of Debian 12 still knows. */
export async function up(): Promise<void> {
  await timed({ words: [hostwright, 'lab', 'down'], environment });
  await timed({ words: [hostwright, 'lab', 'up', '--hosts', '3', '--release', 'bookworm'], environment });
}

export async function down(): Promise<void> {
  await timed({ words: [hostwright, 'lab', 'down'], environment });
}

export const direct: ReadonlyMap<string, Way> = new Map(
  names.map((name, index) => [name, { address: `${subnet}.${11 + index}`, port: 22 }]),
);

/** Writes an inventory and the known keys of the hosts into a folder of its own. */
export async function hostsBy(folder: string, ways: ReadonlyMap<string, Way>): Promise<Hosts> {
  await mkdir(folder, { recursive: true });
  const known = (await readFile(join(lab, 'ssh/known_hosts'), 'utf8')).split('\n');
  const knownHosts = join(folder, 'known_hosts');
  const lines = [...ways].flatMap(([name, { address, port }]) => {
    const own = direct.get(name)?.address ?? '';
    const found = known.filter((line) => line.split(' ')[0]?.split(',').includes(own) === true);
    const host = port === 22 ? address : `[${address}]:${port}`;
    return found.map((line) => `${host} ${line.split(' ').slice(1).join(' ')}\n`);
  });
  await writeFile(knownHosts, lines.join(''));
  const inventory = join(folder, 'hosts.yml');
  const entries = [...ways].map(([name, { address, port }]) => [
    name,
    { ansible_host: address, ansible_port: port },
  ]);
  const vars = {
    ansible_user: 'admin',
    ansible_become: true,
    ansible_ssh_private_key_file: key,
    ansible_ssh_common_args: `-o UserKnownHostsFile=${knownHosts}`,
    ansible_python_interpreter: '/usr/bin/python3',
  };
  await writeFile(inventory, stringify({ all: { hosts: Object.fromEntries(entries), vars } }));
  const sshOptions = ['-i', key, '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'StrictHostKeyChecking=yes'];
  return { ways, inventory, sshOptions: [...sshOptions, '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'] };
}

/** Starts the rest of its words once for each host, with what belongs to it as standard input, all at the same time. */
const atOnce = `folder=$1; shift
for host in "$folder"/*.in; do
  name=\${host%.in}
  ssh "$@" $(cat "$name.way") 'sudo sh -eu' <"$host" >"$name.out" &
  echo $! >>"$folder/running"
done
for process in $(cat "$folder/running"); do wait "$process" || exit; done`;

/** One plain ssh to each host, at the same time; gives their outputs in the order of `names`. */
export async function sshAll(
  hosts: Hosts,
  script: (host: string) => string,
): Promise<{ readonly timed: Timed; readonly outputs: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'hwb-ssh-'));
  try {
    const ways = [...hosts.ways];
    for (const [name, { address, port }] of ways) {
      await writeFile(join(folder, `${name}.in`), script(name));
      await writeFile(join(folder, `${name}.way`), `-p ${port} admin@${address}`);
    }
    // One shell starts them all: this process would start them one after the other, at times 0.1 s apart.
    const run = await timed({ words: ['bash', '-c', atOnce, 'bash', folder, ...hosts.sshOptions] });
    const outputs = await Promise.all(ways.map(([name]) => readFile(join(folder, `${name}.out`), 'utf8')));
    return { timed: run, outputs };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Bare hosts with Python, which Ansible needs, and fresh package lists: the same start for every tool. */
export async function reset(hosts: Hosts): Promise<void> {
  await timed({ words: [hostwright, 'lab', 'reset'], environment });
  const install = 'apt-get -qq install -y --no-install-recommends python3 python3-apt';
  await sshAll(
    hosts,
    () => `export DEBIAN_FRONTEND=noninteractive; { apt-get -qq update; ${install}; } >/dev/null`,
  );
}
