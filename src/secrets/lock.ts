import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { HostwrightError } from '../errors.ts';

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Creates the lock file with its holder atomically, as a hard link. */
async function acquire(lock: string): Promise<boolean> {
  const draft = `${lock}.${randomUUID()}`;
  await writeFile(draft, `${process.pid} ${hostname()}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, lock);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const holder = await readFile(lock, 'utf8').catch(() => '');
  const [pid = '', machine] = holder.trim().split(' ');
  if (machine !== hostname() || !/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return hasCode(error, 'ESRCH');
  }
}

/** Removes a lock whose holder is gone. Only one process at a time may check and remove. */
async function removeAbandoned(lock: string): Promise<void> {
  const removing = `${lock}.removing`;
  if (!(await isAbandoned(lock)) || !(await acquire(removing))) return;
  try {
    if (await isAbandoned(lock)) await rm(lock, { force: true });
  } finally {
    await rm(removing, { force: true });
  }
}

/**
 * Runs `work` while holding the lock file `lock`, in a folder that exists. Waits up to `patience`
 * milliseconds for another holder, then E_SECRET.
 */
export async function withLock<Result>(
  lock: string,
  work: () => Promise<Result>,
  patience = 10_000,
): Promise<Result> {
  const giveUp = performance.now() + patience;
  while (!(await acquire(lock))) {
    await removeAbandoned(lock);
    if (performance.now() > giveUp) {
      throw new HostwrightError('E_SECRET', 'another run is changing the secrets of this inventory', {
        place: { file: lock },
        hint: `wait for that run; if it no longer exists, remove ${lock}`,
      });
    }
    await wait(20);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}
