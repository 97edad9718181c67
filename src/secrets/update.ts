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
 * Changes a variables file: `change` gets its text (empty if it does not exist) and returns the new text.
 * A lock keeps other runs out, and readers see the old or the new text, never a part. A new file
 * has mode 0600. Names of temporary files begin with a dot: inventories ignore them.
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
