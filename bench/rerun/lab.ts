import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupPath, cgroupRoot } from '../../src/lab/cgroup.ts';
import { labFolders, labSettings } from '../../src/lab/settings.ts';
import { hostwright, names, type Hosts } from '../hosts.ts';
import { timed } from '../process.ts';

const settings = labSettings({
  HOSTWRIGHT_LAB: process.env['HOSTWRIGHT_LAB'] ?? 'rerun',
  HOSTWRIGHT_LAB_SUBNET: process.env['HOSTWRIGHT_LAB_SUBNET'] ?? '10.213.98',
});
const environment = {
  HOSTWRIGHT_LAB: settings.name,
  HOSTWRIGHT_LAB_SUBNET: settings.subnet,
  NO_COLOR: '1',
};
const { ssh, inventory } = labFolders(settings);

/** Words of a command line that works on the site. */
export function siteWords(...words: readonly string[]): readonly string[] {
  const [verb = '', ...rest] = words;
  return [hostwright, verb, '-i', inventory, ...rest];
}

/** The site on three hosts; where they are up already, only what differs is made. */
export async function up(): Promise<Hosts> {
  await timed({ words: [hostwright, 'lab', 'up', '--hosts', String(names.length)], environment });
  await timed({ words: siteWords('apply', '--yes', '--no-diff') });
  const options = [
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
    'LogLevel=ERROR',
    `UserKnownHostsFile=${ssh}/known_hosts`,
  ];
  return {
    ways: new Map(
      names.map((name, index) => [name, { address: `${settings.subnet}.${11 + index}`, port: 22 }]),
    ),
    inventory,
    sshOptions: ['-i', join(ssh, 'id_ed25519'), ...options.flatMap((option) => ['-o', option])],
  };
}

export async function down(): Promise<void> {
  await timed({ words: [hostwright, 'lab', 'down'], environment });
}

/** Seconds of processor that every process of each host has used so far, in the order of `names`. */
export async function hostSeconds(): Promise<readonly number[]> {
  const root = (await cgroupRoot()) ?? '';
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(root, cgroupPath(settings, name), 'cpu.stat'), 'utf8');
      return Number(/^usage_usec (\d+)$/m.exec(text)?.[1]) / 1e6;
    }),
  );
}
