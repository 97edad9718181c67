import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Style } from './style.ts';

/** Below this many cells for the text itself, indenting would make it unreadable. */
const NARROWEST = 16;

/** `text` after `lead`, wrapped between words; further lines are indented by the width of `lead` and `deeper`. */
export function hang(lead: string, text: string, style: Style, deeper = 0): string[] {
  const columns = style.columns();
  const indent = stringWidth(lead);
  if (indent + stringWidth(text) <= columns) return [lead + text];
  const wrapped = wrapAnsi(text, Math.max(columns - indent - deeper, NARROWEST), { hard: true });
  return wrapped.split('\n').map((line, index) => (index === 0 ? lead : ' '.repeat(indent + deeper)) + line);
}

/** `text` in at most `columns` cells, its end replaced by `…` where it is longer. */
export function truncate(text: string, columns: number, style: Style): string {
  if (stringWidth(text) <= columns) return text;
  const { more } = style.marks;
  const room = Math.max(columns - stringWidth(more), 0);
  const cut = sliceAnsi(text, 0, room);
  // A wide character across the edge is kept whole, one cell too much.
  return (stringWidth(cut) > room ? sliceAnsi(text, 0, room - 1) : cut) + more;
}

/** `text` filled with spaces to `columns` cells. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(columns - stringWidth(text), 0));
}

/** The first `limit` of `items`, and how many more there are. */
export function enumerate(items: readonly string[], limit: number): string {
  if (items.length <= limit + 1) return items.join(', ');
  return `${items.slice(0, limit).join(', ')} and ${items.length - limit} more`;
}

/** `0.8 s`, `42 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : elapsed(ms);
}

/** `0 s`, `42 s`, `2 min 5 s`: for what goes on. */
export function elapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `1 host`, `3 hosts`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
