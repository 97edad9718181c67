import { z } from 'zod';

const units = { s: 1, m: 60, h: 3600, d: 86_400, y: 365 * 86_400 } as const;

function isUnit(letter: string): letter is keyof typeof units {
  return letter in units;
}

/** A length of time as people write it: `90s`, `30m`, `12h`, `60d`, `5y` (a year has 365 days). */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhdy]$/, 'expected a duration such as "5y", "90d", "12h", "30m" or "60s"');

/** Seconds of a `duration`. */
export function secondsOf(text: string): number {
  const unit = text.slice(-1);
  if (!isUnit(unit)) throw new RangeError(`"${text}" is no duration`);
  return Number(text.slice(0, -1)) * units[unit];
}

/** A length of time in the largest unit that it has two of: `90 days`, `36 hours`. */
export function spanText(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  const scales = [
    ['days', units.d],
    ['hours', units.h],
    ['minutes', units.m],
  ] as const;
  const [name, size] = scales.find(([, unit]) => seconds >= 2 * unit) ?? (['seconds', 1] as const);
  return `${Math.round(seconds / size)} ${name}`;
}
