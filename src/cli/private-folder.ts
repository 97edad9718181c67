import { spawn } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';

/** TMPFS_MAGIC and RAMFS_MAGIC of statfs(2). */
const memory = new Set([0x01021994, 0x858458f6]);

async function isInMemory(folder: string): Promise<boolean> {
  try {
    return memory.has((await statfs(folder)).type);
  } catch {
    return false;
  }
}

/**
 * Gives `work` a private folder in memory and removes it afterwards, also when this
 * process is killed. E_SECRET when there is no file system in memory.
 */
export async function withPrivateFolder<Result>(
  environment: NodeJS.ProcessEnv,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const candidates = [environment['XDG_RUNTIME_DIR'] ?? '', '/dev/shm'].filter((folder) => folder !== '');
  for (const parent of candidates) {
    if (!(await isInMemory(parent))) continue;
    const folder = await mkdtemp(join(parent, 'hostwright-')).catch(() => undefined);
    if (folder === undefined) continue;
    // Reads until this process ends, in its own session, so that Ctrl-C does not reach it.
    const keeper = spawn('sh', ['-c', 'read -r _; rm -rf -- "$1"', 'sh', folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const gone = new Promise((resolve) => {
      keeper.once('close', resolve);
      keeper.once('error', resolve);
    });
    try {
      return await work(folder);
    } finally {
      keeper.stdin.end();
      await gone;
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new HostwrightError('E_SECRET', 'no folder in memory for the plain text', {
    found: candidates.join(', '),
    expected: 'a tmpfs',
    hint: 'set XDG_RUNTIME_DIR to a folder on a tmpfs, or use hostwright secrets set',
  });
}
