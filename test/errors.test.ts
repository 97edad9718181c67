import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../src/errors.ts';

const root = resolve(import.meta.dirname, '..');
const codes = Object.keys(errorCodes);

/** The codes that something in src/ makes an error with. */
function usedCodes(): ReadonlySet<string> {
  const folder = join(root, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && name !== 'errors.ts',
  );
  const made = files.flatMap((name) => [
    ...readFileSync(join(folder, name), 'utf8').matchAll(
      /(?:HostwrightError|collectProblems)\(\s*'(E_\w+)'/g,
    ),
  ]);
  return new Set(made.flatMap(([, code]) => code ?? []));
}

describe('docs/errors.md', () => {
  const sections = readFileSync(join(root, 'docs/errors.md'), 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => ({ title: section.split('\n')[0], text: section }));

  test('has a section for each code, in their order, and none without a code', () => {
    expect(sections.map(({ title }) => title)).toEqual(codes);
  });

  test.each(sections)('explains $title as the code does, and gives a remedy', ({ title, text }) => {
    const meaning = Object.entries(errorCodes).find(([code]) => code === title)?.[1] ?? '';
    const [, first = ''] = text.split(/\n+/);
    expect(first.replaceAll('`', '').toLowerCase()).toBe(`${meaning.replaceAll('`', '')}.`.toLowerCase());
    expect(text).toMatch(/Remedy(?: for [^:]+)?: \S/);
  });
});

test('every code stands for an error that can happen', () => {
  expect([...usedCodes()].toSorted()).toEqual(codes.toSorted());
});
