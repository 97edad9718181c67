import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withLock } from './lock.ts';

async function orMissing<Result>(result: Promise<Result>): Promise<Result | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Changes a file of variables: `change` gets its text (empty where there is no file) and gives the new one.
 * Nobody else changes it meanwhile, and readers see the old text or the new one, never a part. A new file
 * has mode 0600. The files that are there for the moment begin with a dot: inventories pass over them.
 */
export async function updateFile(file: string, change: (text: string) => Promise<string>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const target = (await orMissing(realpath(file))) ?? file;
  const folder = dirname(target);
  await withLock(join(folder, `.${basename(target)}.lock`), async () => {
    const before = await orMissing(readFile(target, 'utf8'));
    const after = await change(before ?? '');
    if (after === before) return;
    const draft = join(folder, `.${basename(target)}.${randomUUID()}`);
    try {
      await writeFile(draft, after, { mode: 0o600, flag: 'wx', flush: true });
      if (before !== undefined) await chmod(draft, (await stat(target)).mode & 0o777);
      await rename(draft, target);
    } finally {
      await rm(draft, { force: true });
    }
  });
}
