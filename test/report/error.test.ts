import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { HostwrightError, HostwrightErrors } from '../../src/errors.ts';
import { formatError } from '../../src/report/error.ts';
import { chooseStyle } from '../../src/report/style.ts';

const source = 'all:\n  vars:\n    nginx_wroker: 5\n    app_password: hunter2\n\t日本: x\n';
const read = (): string => source;

function misspelt(place: { line: number; column: number }): HostwrightError {
  return new HostwrightError('E_VARIABLE', 'unknown variable nginx_wroker', {
    place: { file: 'inventory/hosts.yml', ...place },
    found: 'nginx_wroker',
    expected: 'a variable of the role nginx',
    hint: 'did you mean nginx_worker',
  });
}

describe('formatError', () => {
  it('shows what, where with a caret, found, expected, hint and code', () => {
    expect(formatError(misspelt({ line: 3, column: 5 }), { read }).split('\n')).toEqual([
      'error: unknown variable nginx_wroker  [E_VARIABLE]',
      ' --> inventory/hosts.yml:3:5',
      '3 |     nginx_wroker: 5',
      '  |     ^',
      '  found:    nginx_wroker',
      '  expected: a variable of the role nginx',
      '  hint:     did you mean nginx_worker',
    ]);
  });

  it('puts the caret below the right cell after tabs and wide characters', () => {
    const [, , line = '', caret = ''] = formatError(misspelt({ line: 5, column: 6 }), { read }).split('\n');
    expect(line).toBe('5 |     日本: x');
    expect(stringWidth(caret.slice(0, caret.indexOf('^')))).toBe(
      stringWidth(line.slice(0, line.indexOf('x'))),
    );
  });

  it('reads the file of the place, and does without where it cannot', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hostwright-error-'));
    const file = join(folder, 'site.yml');
    writeFileSync(file, 'a\nsecond line\n');
    const at = (line: number): string =>
      formatError(new HostwrightError('E_SITE', 'bad', { place: { file, line, column: 2 } }));
    expect(at(2)).toContain('\n2 | second line\n  |  ^');
    expect(at(99)).not.toContain(' | ');
    rmSync(folder, { recursive: true });
    expect(at(2)).toBe(`error: bad  [E_SITE]\n --> ${file}:2:2`);
  });

  it('does not repeat a password that stands in the file', () => {
    const text = formatError(misspelt({ line: 4, column: 5 }), { read });
    expect(text).toContain('4 |     app_password: ***');
    expect(text).not.toContain('hunter2');
  });

  it('shows a long line around its caret', () => {
    const long = `${'a'.repeat(300)}X${'b'.repeat(300)}`;
    const error = new HostwrightError('E_SITE', 'bad', { place: { file: 'f', line: 1, column: 301 } });
    const style = chooseStyle({ env: { LANG: 'C.UTF-8', TERM: 'xterm' }, isTTY: true, columns: () => 40 });
    const lines = stripVTControlCharacters(formatError(error, { style, read: () => long })).split('\n');
    const [line = '', caret = ''] = lines.slice(2);
    expect(caret.indexOf('^')).toBe(line.indexOf('X'));
    expect(line.length).toBeLessThanOrEqual(40);
  });

  it('names host and resource', () => {
    const place = { host: 'web1', resource: 'file:/etc/motd' };
    expect(formatError(new HostwrightError('E_REMOTE', 'no', { place }))).toContain(
      '\n --> web1: file:/etc/motd',
    );
  });

  it('shows several errors one after the other and counts them', () => {
    const text = formatError(
      new HostwrightErrors([misspelt({ line: 3, column: 5 }), new HostwrightError('E_SITE', 'b')]),
      {
        read,
      },
    );
    expect(text).toContain('did you mean nginx_worker\n\nerror: b  [E_SITE]\n\n2 errors');
  });

  it('shows where an unknown error comes from only when asked', () => {
    const error = new TypeError('boom', { cause: new Error('deeper') });
    expect(formatError(error)).toContain('error: TypeError: boom\n  hint:     ');
    expect(formatError(error)).not.toContain('error.test.ts');
    expect(formatError(error, { debug: true })).toContain('error.test.ts');
    expect(formatError(error, { debug: true })).toContain('caused by\nError: deeper');
    expect(formatError('a string')).toContain('error: a string');
  });

  it('lets no control character through, not even from the file', () => {
    const evil = '\u001b[2J\u0007';
    const error = new HostwrightError('E_SITE', evil, {
      place: { file: `x${evil}`, line: 1, column: 3 },
      found: evil,
      expected: evil,
      hint: evil,
      cause: new Error(evil),
    });
    const text =
      formatError(error, { read: () => evil, debug: true }) + formatError(new Error(evil), { debug: true });
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('wraps for narrow terminals', () => {
    const style = chooseStyle({ env: { LANG: 'C.UTF-8' }, isTTY: true, columns: () => 40 });
    const error = new HostwrightError('E_SITE', 'a long message '.repeat(8), {
      hint: 'do this and that '.repeat(8),
    });
    const lines = stripVTControlCharacters(formatError(error, { style })).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
  });
});
