import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, printableLines } from '../../src/report/printable.ts';

describe('printable', () => {
  it('leaves ordinary text of any language alone', () => {
    const text = 'Größe 日本語 👩‍💻 → ✓ naïve';
    expect(printable(text)).toBe(text);
  });

  it('makes terminal escapes visible', () => {
    expect(printable('\u001b[2J\u001b]0;title\u0007')).toBe(String.raw`\x1b[2J\x1b]0;title\x07`);
    expect(printable('\u009b31m')).toBe(String.raw`\x9b31m`);
    expect(printable('a\rb\nc\u007f')).toBe(String.raw`a\rb\nc\x7f`);
  });

  it('makes characters visible that turn the text around or hide', () => {
    expect(printable('a\u202eb\u2066c\u200bd\u2028e')).toBe(String.raw`a\u202eb\u2066c\u200bd\u2028e`);
    expect(printable('\u{e0041}')).toBe(String.raw`\u{e0041}`);
    expect(printable('\ud800')).toBe(String.raw`\ud800`);
  });

  it('never lets a control character through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

  it('splits lines and drops the last line break', () => {
    expect(printableLines('a\r\nb\u0007\n')).toEqual(['a', String.raw`b\x07`]);
  });
});
