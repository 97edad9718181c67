const TAB = '    ';

/** U+200D only joins emoji and other graphemes; without it they fall apart. */
const HARMLESS = '\u200d';

function escaped(character: string): string {
  if (character === '\t') return TAB;
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === HARMLESS) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\u{${code.toString(16)}}`;
}

/** Characters of one text: measuring megabytes would take minutes. */
const longest = 4000;
/** Lines of one text. */
const mostLines = 200;

function shortened(text: string): string {
  return text.length <= longest
    ? text
    : `${text.slice(0, longest)}… ${text.length - longest} more characters`;
}

/**
 * Text of a host or a file as one harmless line: control characters, terminal escapes (C0 and C1),
 * characters that turn the direction of writing or hide, line separators and lone surrogates become
 * visible escapes like `\x1b`; a tab becomes four spaces. Everything that did not come from our own
 * source goes through here before it reaches a terminal. A text without end is cut off.
 */
export function printable(text: string): string {
  return printableWhole(shortened(text));
}

/** As `printable`, of any length: for output that the user requested. */
export function printableWhole(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escaped);
}

/** The lines of a text, each harmless; a line break at its end makes no empty last line. */
export function printableLines(text: string): string[] {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const shown = lines.slice(0, mostLines).map(printable);
  return shown.length === lines.length ? shown : [...shown, `… ${lines.length - mostLines} more lines`];
}
