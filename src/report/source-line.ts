import { readFileSync, statSync } from 'node:fs';
import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import type { FilePlace } from '../errors.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

const LARGEST_BYTES = 1024 * 1024;

/** The text of a file; undefined when it cannot be shown. */
export type ReadSource = (file: string) => string | undefined;

export const readSource: ReadSource = (file) => {
  try {
    const { size } = statSync(file);
    return size > LARGEST_BYTES ? undefined : readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};

/** A plain-text secret in a file of variables must not end up in the log of a CI run. */
function withoutSecret(line: string): string {
  return line.replace(
    /^(\s*[\w'"-]*(?:passw|passphrase|secret|token|private_key)[\w'"-]*\s*[:=]\s*)\S.*$/i,
    '$1***',
  );
}

/** The line of a place with a caret below its column; empty when the file cannot be read. */
export function sourceLines(place: FilePlace, style: Style, read: ReadSource): string[] {
  if (place.line === undefined) return [];
  const line = read(place.file)
    ?.split(/\r?\n/)
    .at(place.line - 1);
  if (line === undefined || place.line < 1) return [];
  const gutter = `${place.line} | `;
  const empty = `${' '.repeat(gutter.length - 2)}| `;
  // One cell less, for a wide character across the edge.
  const room = Math.max(style.columns() - gutter.length - 1, 16);
  const shown = withoutSecret(line);
  const before = stringWidth(printable(shown.slice(0, (place.column ?? 1) - 1)));
  // A caret out of sight is of no use: the start of a long line gives way.
  const cut = before < room ? 0 : before - Math.floor(room / 2);
  const text = sliceAnsi(printable(shown), cut, Math.min(cut + room, Number.MAX_SAFE_INTEGER));
  const lines = [style.paint('dim', gutter) + text];
  if (place.column !== undefined) {
    const caret = style.paint(['bold', 'red'], '^');
    lines.push(style.paint('dim', empty) + ' '.repeat(before - cut) + caret);
  }
  return lines;
}
