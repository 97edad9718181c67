import { hang } from './layout.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** The diff of a new file only repeats its template: the first lines are enough. */
const SHOWN = { create: 12, other: 60 };
/** Folding fewer lines than this saves nothing. */
const WORTH_FOLDING = 4;

const squeezed = (lines: readonly string[], sign: string): string =>
  lines
    .filter((line) => line.startsWith(sign))
    .map((line) => line.slice(1).replaceAll(/\s+/g, ' ').trimEnd())
    .join('\n');

/** Shows tabs, carriage returns and spaces at the end, where nothing else differs. */
function visibleSpace(line: string, style: Style): string {
  const { arrow, between } = style.marks;
  return line.replaceAll('\t', `${arrow}   `).replace(/ +$/, (spaces) => between.repeat(spaces.length));
}

function painted(line: string, style: Style): string {
  if (line.startsWith('+')) return style.paint('green', line);
  if (line.startsWith('-')) return style.paint('red', line);
  return style.paint(line.startsWith('@@') ? 'cyan' : 'dim', line);
}

/** Removed comments and empty lines, from so many on, tell nothing and hide what does. */
const WORTH_SKIPPING = 3;

function isComment(line: string | undefined): boolean {
  return line !== undefined && /^-\s*([#;]|\/\/|$)/.test(line);
}

/** The lines with each run of removed comments as one: `- … 12 lines of comments`. */
function withoutComments(lines: readonly string[], style: Style): readonly string[] {
  const shown: string[] = [];
  for (let at = 0; at < lines.length;) {
    let end = at;
    while (isComment(lines[end])) end += 1;
    if (end - at < WORTH_SKIPPING) {
      end = Math.max(end, at + 1);
      shown.push(...lines.slice(at, end));
    } else shown.push(`-${style.marks.more} ${end - at} lines of comments`);
    at = end;
  }
  return shown;
}

/** A unified diff, coloured, indented, and folded where it is long. */
export function diffLines(diff: string, isNew: boolean, indent: string, style: Style): string[] {
  const all = diff.split('\n');
  const lines = isNew ? all : withoutComments(all, style);
  const onlySpace = !isNew && squeezed(lines, '-') === squeezed(lines, '+');
  const limit = isNew ? SHOWN.create : SHOWN.other;
  const shown = lines.length < limit + WORTH_FOLDING ? lines : lines.slice(0, limit);
  const folded = lines.length - shown.length;
  const text = shown.flatMap((line) => {
    const isChanged = /^[+-]/.test(line);
    const visible = printable(onlySpace && isChanged ? visibleSpace(line, style) : line);
    // Deeper, so that the rest of a long line is not taken for a line of its own.
    return hang(indent, painted(visible, style), style, 3);
  });
  if (folded > 0) text.push(indent + style.paint('dim', `${style.marks.more} ${folded} more lines`));
  return text;
}
