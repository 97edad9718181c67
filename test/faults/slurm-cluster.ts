import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bareHosts, type Finished, type TestHosts } from '../lab/hosts.ts';

const example = resolve(import.meta.dirname, '../../examples/slurm');

/**
 * What the cluster provisions. A worker that is told to hold stops in the middle of a part, its hosts connected and
 * locked; a host that is told to hold stops in the middle of a change.
 */
const role = `
import { existsSync, writeFileSync } from 'node:fs';
import { command, defineRole, file, z } from 'hostwright';
const pause = new Int32Array(new SharedArrayBuffer(4));
function hold() {
  if (!existsSync('/tmp/hold')) return;
  writeFileSync('/tmp/held', '');
  while (existsSync('/tmp/hold')) Atomics.wait(pause, 0, 0, 100);
}
const slowly = 'touch /run/changing; while [ -e /run/hold ]; do sleep 0.1; done; touch /run/changed';
export default defineRole({
  name: 'parts',
  variables: z.object({}),
  resources: ({ host }) => {
    hold();
    return [
      file('/etc/' + host.name, { content: 'part of a whole\\n' }),
      ...(host.groups.includes('real') ? [command('change', { run: ['sh', '-c', slowly], creates: '/run/changed' })] : []),
    ];
  },
});
`;

/** A Slurm cluster of three hosts, each a worker, the first also the one that schedules and merges. */
export interface SlurmCluster {
  readonly hosts: TestHosts;
  /** Names in the inventory that the cluster provisions: many for the two hosts that stay, and the three as they are. */
  readonly aliases: readonly string[];
  readonly real: readonly string[];
  /** Words of the command line for the cluster itself. */
  readonly site: readonly string[];
  /** Gives the user on web1 the scripts of the example. */
  install(): Promise<void>;
  /** Runs submit.sh of the example for that number of parts, to its end. */
  submit(parts: number, ...words: readonly string[]): Promise<Finished>;
  /** Shell on web1 as the user whose jobs these are. */
  shell(script: string): Promise<string>;
  down(): Promise<void>;
}

export async function slurmCluster(name: string, subnet: string): Promise<SlurmCluster> {
  const hosts = await bareHosts(name, subnet, 3);
  const folder = await mkdtemp(join(tmpdir(), 'hostwright-slurm-'));
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), text);
  };
  const real = ['web1', 'web2', 'web3'];
  const aliases = Array.from({ length: 12 }, (_, index) => `site${index + 1}`);
  const addresses = (names: readonly string[], of: (index: number) => string) =>
    Object.fromEntries(names.map((one, index) => [one, { ansible_host: hosts.address(of(index)) }]));
  const login = { ansible_user: 'admin', ansible_become: true };
  const ssh = `/var/lib/hostwright-lab/${name}/ssh`;
  const project = {
    all: {
      vars: login,
      children: {
        real: { hosts: addresses(real, (index) => `web${index + 1}`) },
        aliases: { hosts: addresses(aliases, (index) => `web${(index % 2) + 1}`) },
      },
    },
  };
  const cluster = {
    all: {
      hosts: addresses(real, (index) => `web${index + 1}`),
      vars: {
        ...login,
        ansible_ssh_private_key_file: `${ssh}/id_ed25519`,
        ansible_ssh_common_args: `-o UserKnownHostsFile=${ssh}/known_hosts`,
        slurm_hostwright: join(folder, 'hostwright.tar.gz'),
        slurm_project: join(folder, 'project'),
        slurm_known_hosts: `${ssh}/known_hosts`,
        slurm_login_key: await readFile(`${ssh}/id_ed25519`, 'utf8'),
        slurm_node_seconds: 10,
        slurm_requeue_seconds: 10,
      },
      children: {
        slurm: { hosts: Object.fromEntries(real.map((one) => [one, null])) },
        slurm_controller: { hosts: { web1: null } },
      },
    },
  };
  await write('project/site.yml', '- hosts: all\n  roles: [parts]\n');
  await write('project/roles/parts/role.ts', role);
  await write('project/inventory/hosts.yml', JSON.stringify(project));
  await write('inventory/hosts.yml', JSON.stringify(cluster));
  execFileSync(join(example, 'pack.sh'), [join(folder, 'hostwright.tar.gz')], { stdio: 'ignore' });
  const login1 = (script: string): string => `runuser -l hostwright -c "${script}"`;
  return {
    hosts,
    aliases,
    real,
    site: ['-i', join(folder, 'inventory'), '--site', join(example, 'cluster/site.yml')],
    async install() {
      for (const file of ['part.sbatch', 'merge.sbatch', 'submit.sh']) {
        const text = await readFile(join(example, file), 'utf8');
        await hosts.shell('web1', `install -D -m 0755 /dev/stdin /home/hostwright/slurm/${file}`, text);
      }
    },
    submit: (parts, ...words) =>
      hosts.ssh('web1', login1(`COLLECTOR=web1 slurm/submit.sh ${parts} ${words.join(' ')}`)),
    shell: (script) => hosts.shell('web1', login1(script)),
    async down() {
      await hosts.down();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
