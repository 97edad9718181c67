import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const folders: Readonly<Record<string, string>> = { suite: 'test/lab', night: 'test/faults', unit: 'test' };

/** A bar within a cell is written `\\|`. */
function cellsOf(line: string): readonly string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The rows of all tables, by the names of their columns. */
function rowsOf(text: string): readonly Readonly<Record<string, string>>[] {
  let columns: readonly string[] = [];
  return text.split('\n').flatMap((line, index, all) => {
    if (!line.startsWith('|')) {
      columns = [];
      return [];
    }
    const cells = cellsOf(line);
    const isHeader = columns.length === 0;
    if (isHeader) columns = cells;
    if (isHeader || !all[index - 1]?.startsWith('|') || /^\|( *-+:? *\|)+$/.test(line)) return [];
    expect(cells, line).toHaveLength(columns.length);
    return [Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? '']))];
  });
}

const rows = rowsOf(readFileSync(join(root, 'docs/reliability.md'), 'utf8'));

describe('docs/reliability.md', () => {
  test.each(rows.map((row) => [Object.values(row)[0] ?? '', row] as const))('%s', (promise, row) => {
    expect(promise).not.toBe('');
    const { survived } = row;
    if (survived !== undefined) expect(survived).toMatch(/^(all|[\d,]+)$/);
    else expect(row['seen, seconds'] ?? '').not.toBe('');
    // "suite `a.test.ts`, `b.test.ts`, unit `c/d.test.ts`"
    let folder: string | undefined;
    for (const [, kind, file] of (row['test'] ?? '').matchAll(/(?:(\w+) )?`([^`]+)`/g)) {
      folder = kind === undefined ? folder : folders[kind];
      expect(existsSync(join(root, folder ?? 'nowhere', file ?? '')), `${folder}/${file}`).toBe(true);
    }
    expect(folder).toBeDefined();
  });
});
