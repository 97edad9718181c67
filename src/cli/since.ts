import { InvalidArgumentError } from 'commander';
import { duration, secondsOf } from '../resources/duration.ts';

const day = /^\d{4}-\d{2}-\d{2}$/;
const moment = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/;

/** A moment of the past: `7d` or `-7d` ago, a day, or a time, which is local unless it says otherwise. */
export function parseSince(text: string, now = Date.now()): Date {
  const ago = text.replace(/^-/, '');
  if (duration.safeParse(ago).success) return new Date(now - secondsOf(ago) * 1000);
  const time = new Date(day.test(text) ? `${text}T00:00` : text.replace(' ', 'T'));
  if ((day.test(text) || moment.test(text)) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError(
    'expected how long ago (7d, 12h), a day (2026-11-22) or a time (2026-11-22 10:30)',
  );
}
