import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote } from '../../src/transport/shell.ts';
import { splitWords } from '../../src/transport/words.ts';

describe('splitting arguments of ssh', () => {
  it.each([
    ['', []],
    ['  -o  A=b ', ['-o', 'A=b']],
    [`-o 'ProxyJump=a b' -F "x \\" y"`, ['-o', 'ProxyJump=a b', '-F', 'x " y']],
    [`a'b'"c"\\ d ''`, ['abc d', '']],
    [`"\\n"`, ['\\n']],
  ])('%s', (line, words) => {
    expect(splitWords(line)).toEqual(words);
    expect(execFileSync('sh', ['-c', `printf '%s\\n' ${line}`]).toString()).toBe(
      words.length === 0 ? '\n' : words.map((word) => `${word}\n`).join(''),
    );
  });

  it('is the inverse of quoting', () => {
    fc.assert(
      fc.property(fc.array(fc.string().filter((word) => !word.includes('\0'))), (words) => {
        expect(splitWords(words.map(quote).join(' '))).toEqual(words);
      }),
    );
  });

  it.each([`-o 'A`, `"a`, 'a\\'])('refuses %s', (line) => {
    expect(() => splitWords(line)).toThrow(expect.objectContaining({ code: 'E_INVENTORY' }));
  });
});
