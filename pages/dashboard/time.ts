import type { Span } from './answers.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** What a page can show: the last so many seconds, or a time that is past. */
export type Shown = { readonly last: number } | { readonly from: number; readonly to: number };

export const ranges = [
  { name: '15 m', last: 15 * minute },
  { name: '1 h', last: hour },
  { name: '6 h', last: 6 * hour },
  { name: '24 h', last: day },
  { name: '7 d', last: 7 * day },
  { name: '30 d', last: 30 * day },
] as const;

const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600] as const;

/** At most some 300 points, and none between two readings. */
function stepOf(seconds: number, interval: number): number {
  return Math.max(interval, steps.find((step) => seconds / step <= 300) ?? 4 * 3600);
}

/** What to ask for. Both ends are multiples of the step, so that a graph does not jump when it goes on. */
export function spanOf(shown: Shown, interval: number, now: number): Span {
  const [from, to] = 'last' in shown ? [now - shown.last, now] : [shown.from, shown.to];
  const step = stepOf(to - from, interval);
  const end = Math.floor(to / step) * step;
  return {
    from: Math.ceil(from / step) * step,
    to: end,
    step,
    // At least six readings: fewer make a rate that jumps with every one that comes late.
    window: Math.max(30, 6 * interval, step),
  };
}

/** Of the address of the page: `#last=3600`, `#from=…&to=…`; an hour where it says nothing. */
export function shownBy(hash: string): Shown {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const [last, from, to] = ['last', 'from', 'to'].map((name) => Number(words.get(name) ?? Number.NaN));
  if (from !== undefined && to !== undefined && from < to) return { from, to };
  if (last !== undefined && last >= minute && last <= 400 * day) return { last };
  return { last: hour };
}

export function hashOf(shown: Shown): string {
  if ('last' in shown) return `#last=${shown.last}`;
  return `#from=${Math.round(shown.from)}&to=${Math.round(shown.to)}`;
}
