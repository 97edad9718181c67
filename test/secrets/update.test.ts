import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withLock } from '../../src/secrets/lock.ts';
import { updateFile } from '../../src/secrets/update.ts';
import { scratchFolder } from './scratch.ts';

const append =
  (line: string) =>
  (text: string): Promise<string> =>
    Promise.resolve(`${text}${line}\n`);

/** Work that counts how many do it at the same time. */
function oneAtATime(): {
  readonly work: () => Promise<void>;
  readonly counted: { inside: number; most: number; all: number };
} {
  const counted = { inside: 0, most: 0, all: 0 };
  const work = async (): Promise<void> => {
    counted.all += 1;
    counted.inside += 1;
    counted.most = Math.max(counted.most, counted.inside);
    await readdir('/');
    counted.inside -= 1;
  };
  return { work, counted };
}

/** The id of a process that has ended. */
function endedProcess(): number {
  return Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
}

describe('a file of variables', () => {
  test('is made for its owner only, with its folders', async () => {
    const file = join(scratchFolder(), 'group_vars/all/x.yml');
    await updateFile(file, append('a: 1'));
    expect(readFileSync(file, 'utf8')).toBe('a: 1\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('keeps its mode, and its place behind a link', async () => {
    const folder = scratchFolder({ 'real.yml': 'a: 1\n' });
    chmodSync(join(folder, 'real.yml'), 0o664);
    symlinkSync('real.yml', join(folder, 'link.yml'));
    await updateFile(join(folder, 'link.yml'), append('b: 2'));
    expect(readFileSync(join(folder, 'real.yml'), 'utf8')).toBe('a: 1\nb: 2\n');
    expect(statSync(join(folder, 'real.yml')).mode & 0o777).toBe(0o664);
    expect(readdirSync(folder).toSorted()).toEqual(['link.yml', 'real.yml']);
  });

  test('loses nothing when many change it at once', async () => {
    const folder = scratchFolder();
    const lines = Array.from({ length: 25 }, (_, index) => `v${index}: 1`);
    await Promise.all(lines.map((line) => updateFile(join(folder, 'x.yml'), append(line))));
    const written = readFileSync(join(folder, 'x.yml'), 'utf8').trim().split('\n');
    expect(written.toSorted()).toEqual(lines.toSorted());
    expect(readdirSync(folder)).toEqual(['x.yml']);
  });

  test('stays as it was when the change fails, and can be changed again', async () => {
    const folder = scratchFolder({ 'x.yml': 'a: 1\n' });
    const file = join(folder, 'x.yml');
    await expect(updateFile(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(readdirSync(folder)).toEqual(['x.yml']);
    await updateFile(file, append('b: 1'));
    expect(readFileSync(file, 'utf8')).toBe('a: 1\nb: 1\n');
  });
});

describe('the lock', () => {
  test('lets one in at a time', async () => {
    const lock = join(scratchFolder(), '.lock');
    const { work, counted } = oneAtATime();
    await Promise.all(Array.from({ length: 10 }, () => withLock(lock, work)));
    expect(counted).toEqual({ inside: 0, most: 1, all: 10 });
    expect(existsSync(lock)).toBe(false);
  });

  test('of a run that was killed is taken over, by one at a time', async () => {
    const folder = scratchFolder();
    const lock = join(folder, '.lock');
    const abandoned = `${endedProcess()} ${hostname()}\n`;
    for (let round = 0; round < 3; round++) {
      writeFileSync(lock, abandoned);
      const { work, counted } = oneAtATime();
      await Promise.all(Array.from({ length: 10 }, () => withLock(lock, work)));
      expect(counted).toEqual({ inside: 0, most: 1, all: 10 });
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  test.each([
    ['a run that lives', `${process.pid} ${hostname()}\n`],
    ['a run on another machine', `${endedProcess()} elsewhere.example\n`],
  ])('of %s is respected', async (_whose, holder) => {
    const lock = join(scratchFolder(), '.lock');
    writeFileSync(lock, holder);
    await expect(withLock(lock, () => Promise.resolve(), 0)).rejects.toMatchObject({
      code: 'E_SECRET',
      place: { file: lock },
    });
    expect(readFileSync(lock, 'utf8')).toBe(holder);
  });
});
