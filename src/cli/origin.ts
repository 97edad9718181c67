import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { inventoryPath } from '../inventory/locate.ts';
import type { RunOrigin } from '../plan/event.ts';
import type { RunOptions } from './options.ts';
import { version } from './version.ts';

/** Milliseconds: a run does not wait for a git that hangs. */
const patience = 5000;

/** One process; it neither writes to the repository nor runs what its configuration names. */
const words = [
  ...['--no-optional-locks', '-c', 'core.fsmonitor=false', 'status'],
  ...['--porcelain=v2', '--branch', '--no-ahead-behind', '--no-renames', '--untracked-files=normal'],
];

/** The commit of the repository that an inventory is in, and whether that is as committed. */
async function commitOf(inventory: string): Promise<Pick<RunOrigin, 'commit' | 'isClean'>> {
  try {
    const folder = (await stat(inventory)).isDirectory() ? inventory : dirname(inventory);
    const { stdout } = await promisify(execFile)('git', words, {
      ...{ cwd: folder, timeout: patience, maxBuffer: 64 * 1024 * 1024 },
    });
    const commit = /^# branch\.oid ([0-9a-f]{40,64})$/m.exec(stdout)?.[1];
    return commit === undefined ? {} : { commit, isClean: !/^[^#\n]/m.test(stdout) };
  } catch {
    return {};
  }
}

export function whoRuns(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** What a run is known by: in its summary, and in the journals of hosts. */
export async function originOf(
  options: Pick<RunOptions, 'inventory' | 'limit' | 'shard' | 'role'>,
  start: Date,
): Promise<RunOrigin> {
  const { limit, shard, role } = options;
  const inventory = resolve(inventoryPath(options.inventory, process.env));
  const time = start.toISOString();
  return {
    id: `${time.replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(4).toString('hex')}`,
    start: time,
    version: version(),
    who: whoRuns(),
    inventory,
    ...(limit !== undefined && { limit }),
    ...(shard !== undefined && { shard: `${shard.index}/${shard.count}` }),
    ...(role !== undefined && { roles: role }),
    ...(await commitOf(inventory)),
  };
}
