import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { sharedFolders } from './settings.ts';
import type { LabSettings } from './settings.ts';

/**
 * Runs `work` while no other process on the machine holds the lock of this name. Node has no flock(2), so
 * flock(1) holds it until our end of its pipe closes: it is free again however we die.
 */
export async function withLock<Result>(
  settings: LabSettings,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const { locks } = sharedFolders(settings);
  await mkdir(locks, { recursive: true });
  const holder = spawn(
    'flock',
    ['--exclusive', join(locks, name), 'sh', '-c', 'echo held; exec cat >/dev/null'],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const ended = once(holder, 'exit');
  const held = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!held) {
    throw new HostwrightError('E_LAB', `the lock ${name} cannot be taken`, {
      hint: `look at ${join(locks, name)}`,
    });
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
