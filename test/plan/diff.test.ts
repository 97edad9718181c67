import * as fc from 'fast-check';
import { applyPatch } from 'diff';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../src/plan/diff.ts';

const numbered = (letter: string, lines: number): string =>
  Array.from({ length: lines }, (_, index) => `${letter}${index}\n`).join('');

describe('unifiedDiff', () => {
  it('is empty where nothing differs', () => {
    expect(unifiedDiff('a\n', Buffer.from('a\n'))).toBe('');
    expect(unifiedDiff(null, '')).toBe('');
  });

  it('shows hunks with three lines of context and no header', () => {
    expect(unifiedDiff('1\n2\n3\n4\n5\n', '1\n2\n3\n4\nfive\n').split('\n')).toEqual([
      '@@ -2,4 +2,4 @@',
      ' 2',
      ' 3',
      ' 4',
      '-5',
      '+five',
    ]);
  });

  it('counts from the line before where a side is empty', () => {
    expect(unifiedDiff(null, 'a\n')).toBe('@@ -0,0 +1,1 @@\n+a');
    expect(unifiedDiff('a\n', null)).toBe('@@ -1,1 +0,0 @@\n-a');
  });

  it('says that a line break is missing at the end', () => {
    expect(unifiedDiff('a', 'a\n').split('\n')).toContain('\\ No newline at end of file');
  });

  it('tells texts too different to compare by their numbers of lines', () => {
    expect(unifiedDiff(numbered('a', 3000), numbered('b', 2500))).toBe('3000 lines replaced by 2500 lines');
    expect(unifiedDiff('x'.repeat(1024 * 1024), 'y')).toBe('1 line replaced by 1 line');
  });

  it('shows a long new text in full: there is nothing to search for', () => {
    expect(unifiedDiff(null, numbered('a', 3000)).split('\n')).toHaveLength(3001);
  });

  it('tells binary content by size and hash', () => {
    const sha256 = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
    expect(unifiedDiff(Buffer.from([0xff, 0xfe]), 'x')).toMatch(
      new RegExp(`^binary: 2 bytes, sha256 \\w{12} replaced by 1 byte, sha256 ${sha256.slice(0, 12)}$`),
    );
    expect(unifiedDiff(null, Buffer.from([0]))).toMatch(/^binary: nothing replaced by 1 byte/);
  });

  it('is a patch that turns the one text into the other', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', '', ' x')).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = unifiedDiff(before, after);
        const patched = diff === '' ? before : applyPatch(before, `--- a\n+++ b\n${diff}\n`);
        expect(patched).toBe(after);
      }),
    );
  });
});
