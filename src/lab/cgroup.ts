import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { bridgeName } from './settings.ts';
import type { LabSettings } from './settings.ts';
import { waitFor } from './wait.ts';

// A host lives in a cgroup of its own, so that all of its processes can be ended together, by the kernel,
// without asking for a single process number.

/** Where the machine has cgroup v2: `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` beside v1. */
export async function cgroupRoot(): Promise<string | undefined> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' '));
  return mounts.find((fields) => fields[fields.indexOf('-') + 1] === 'cgroup2')?.[4];
}

/** The cgroup of a host below the root of cgroup v2; that of the whole lab without a host. */
export function cgroupPath(settings: LabSettings, host = ''): string {
  return join('/', bridgeName(settings), host);
}

export async function makeCgroup(path: string): Promise<void> {
  const folder = await located(path);
  await Promise.all(['run', 'machine'].map((child) => mkdir(join(folder, child), { recursive: true })));
}

/** Kills every process in the cgroup and removes it. */
export async function endCgroup(path: string): Promise<void> {
  const folder = await located(path);
  if (!existsSync(folder)) return;
  await writeFile(join(folder, 'cgroup.kill'), '1');
  const empty = await waitFor(
    20_000,
    async () => {
      const events = await readFile(join(folder, 'cgroup.events'), 'utf8');
      return events.includes('populated 0') ? true : undefined;
    },
    10,
  );
  if (empty === undefined) {
    throw new HostwrightError('E_LAB', 'the processes of a host do not end', {
      found: folder,
      hint: 'cgroup.procs below this folder lists them; a process that waits for the disk ends when the disk answers',
    });
  }
  await removeTree(folder);
}

async function located(path: string): Promise<string> {
  const root = await cgroupRoot();
  if (root === undefined) {
    throw new HostwrightError('E_LAB', 'cgroup v2 is not mounted', {
      expected: 'cgroup2 at /sys/fs/cgroup or /sys/fs/cgroup/unified',
      hint: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified',
    });
  }
  return join(root, path);
}

async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rmdir(folder);
}
