import type { Activity, Running } from './activity.ts';
import { duration } from './layout.ts';
import { printable } from './printable.ts';
import type { Screen } from './screen.ts';
import type { Output, Style } from './style.ts';

/** Milliseconds after which a long step prints a line: CI systems end jobs without output. */
const HEARTBEAT = 30_000;

/** Pipes, CI and dumb terminals: plain lines, and one from time to time for long steps. */
export function createPlainScreen(output: Output, activity: Activity, style: Style): Screen {
  const beats = new WeakMap<Running, number>();
  const print = (lines: readonly string[]): void => {
    if (lines.length > 0) output.write(`${lines.join('\n')}\n`);
  };
  return {
    print,
    aside(write) {
      write();
    },
    refresh() {
      // Nothing here changes in place.
    },
    tick() {
      const now = activity.now();
      for (const step of activity.running()) {
        const beat = Math.floor((now - step.since) / HEARTBEAT);
        if (beat <= (beats.get(step) ?? 0)) continue;
        beats.set(step, beat);
        const title = `${printable(step.host)} ${style.marks.more} ${printable(step.title)}`;
        print([`${title}  ${duration(now - step.since)}`]);
      }
    },
    clear() {
      // Nothing here goes away.
    },
  };
}
