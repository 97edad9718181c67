import type { Unit } from '../../roles/monitoring_server/panel.ts';

export interface Shown {
  readonly number: string;
  readonly unit: string;
}

/** About three digits: `0.042`, `3.14`, `271`, `12,400`. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US');
  if (size >= 10) return value.toFixed(1).replace(/\.0$/, '');
  if (size >= 1) return value.toFixed(2).replace(/\.?0+$/, '');
  if (size === 0) return '0';
  return size < 0.001 ? '< 0.001' : String(Number(value.toPrecision(2)));
}

function scaled(value: number, steps: readonly (readonly [number, string])[]): Shown {
  const [by, unit] = steps.find(([from]) => Math.abs(value) >= from) ?? steps.at(-1) ?? [1, ''];
  return { number: digits(value / by), unit };
}

const bytes = [
  [1e9, 'GB/s'],
  [1e6, 'MB/s'],
  [1e3, 'kB/s'],
  [1, 'B/s'],
] as const;

function time(value: number): Shown {
  const size = Math.abs(value);
  if (size === 0) return { number: '0', unit: 's' };
  if (size < 0.001) return { number: digits(value * 1e6), unit: 'µs' };
  if (size < 1) return { number: digits(value * 1000), unit: 'ms' };
  if (size < 120) return { number: digits(value), unit: 's' };
  if (size < 7200) return { number: digits(value / 60), unit: 'min' };
  return { number: digits(value / 3600), unit: 'h' };
}

/** A value for people, and its unit apart. */
export function show(value: number, unit: Unit): Shown {
  switch (unit) {
    case 'seconds':
      return time(value);
    case 'bytes':
      return scaled(value, bytes);
    case 'percent':
      return { number: value > 99.9 && value < 100 ? '99.9' : digits(Number(value.toFixed(2))), unit: '%' };
    case 'days':
      return value >= 3
        ? { number: digits(Math.floor(value)), unit: 'days' }
        : { number: digits(Math.floor(value * 24)), unit: 'hours' };
    case 'requests':
    case 'queries':
      return { number: digits(value), unit: '/s' };
    case 'count':
      return { number: digits(value), unit: '' };
  }
  return unit satisfies never;
}

export function text(value: number, unit: Unit): string {
  const shown = show(value, unit);
  const between = ['', '%', '/s'].includes(shown.unit) && shown.unit !== '%' ? '' : ' ';
  return `${shown.number}${between}${shown.unit}`;
}

/** How long ago: `40 s`, `12 min`, `3 h`, `2 days`. */
export function age(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** The name of a series: `{host} in` with its labels. */
export function legend(pattern: string, labels: Readonly<Record<string, string>>): string {
  return pattern.replaceAll(/\{(\w+)\}/g, (_all, name: string) => labels[name] ?? '?');
}
