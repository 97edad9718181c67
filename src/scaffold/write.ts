import { mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HostwrightError } from '../errors.ts';

/** A file that is to be made. */
export interface Draft {
  /** Relative to the project. */
  readonly path: string;
  readonly text: string;
}

async function write(project: string, drafts: readonly Draft[]): Promise<readonly string[]> {
  for (const { path, text } of drafts) {
    const file = join(project, path);
    await mkdir(dirname(file), { recursive: true });
    // Whatever has appeared meanwhile is not overwritten.
    await writeFile(file, text, { flag: 'wx' });
  }
  return drafts.map(({ path }) => path);
}

/** Makes the files that are not there. Gives the paths of those it made. */
export async function writeMissing(project: string, drafts: readonly Draft[]): Promise<readonly string[]> {
  return write(
    project,
    drafts.filter(({ path }) => !existsSync(join(project, path))),
  );
}

/** Makes all files; E_USAGE, and none is made, where one is there already. */
export async function writeNew(project: string, drafts: readonly Draft[]): Promise<readonly string[]> {
  const there = drafts.map(({ path }) => path).filter((path) => existsSync(join(project, path)));
  if (there.length > 0) {
    throw new HostwrightError('E_USAGE', `already there: ${there.join(', ')}`, {
      hint: 'choose another name, or remove it first: nothing is overwritten',
    });
  }
  return write(project, drafts);
}
