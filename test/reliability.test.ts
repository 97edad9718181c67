import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const folders: Readonly<Record<string, string>> = { suite: 'test/lab', night: 'test/faults', unit: 'test' };

/** The cells of the rows of all tables; a bar within a cell is written `\|`. */
const rows = readFileSync(join(root, 'docs/reliability.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\| (-+|fault|attempt) /.test(line))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe('docs/reliability.md', () => {
  test.each(rows)('%s', (...cells) => {
    const [promise, tests = '', , survived] = cells;
    expect(cells).toHaveLength(4);
    expect(promise).not.toBe('');
    expect(survived).toMatch(/^(all|[\d,]+)$/);
    // "suite `a.test.ts`, `b.test.ts`, unit `c/d.test.ts`"
    let folder: string | undefined;
    for (const [, kind, file] of tests.matchAll(/(?:(\w+) )?`([^`]+)`/g)) {
      folder = kind === undefined ? folder : folders[kind];
      expect(existsSync(join(root, folder ?? 'nowhere', file ?? '')), `${folder}/${file}`).toBe(true);
    }
    expect(folder).toBeDefined();
  });
});
