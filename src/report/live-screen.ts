import { createLogUpdate } from 'log-update';
import stringWidth from 'string-width';
import type { Activity, Running } from './activity.ts';
import { elapsed, pad, truncate } from './layout.ts';
import { printable } from './printable.ts';
import type { Screen } from './screen.ts';
import type { Style, Terminal } from './style.ts';

const DEFAULT_ROWS = 24;
/** Milliseconds; hosts start steps more often than an eye can follow. */
const BETWEEN_DRAWINGS = 80;

function stepLine(running: Running, hostColumns: number, now: number, style: Style): string {
  const columns = style.columns();
  const time = `  ${elapsed(now - running.since)}`;
  const host = pad(truncate(printable(running.host), hostColumns, style), hostColumns);
  const left = truncate(`${host}  ${printable(running.title)}`, columns - time.length, style);
  return style.paint('bold', left.slice(0, host.length)) + left.slice(host.length) + style.paint('dim', time);
}

/** The lines for `activity`, at most `rows` of them, none wider than the screen. */
export function activityLines(activity: Activity, rows: number, style: Style): string[] {
  const running = activity.running();
  if (running.length === 0) return [];
  const { planned, finished, failed } = activity;
  const total =
    planned === 0 ? [] : [`${finished} of ${planned} done${failed === 0 ? '' : `, ${failed} failed`}`];
  const room = Math.max(rows - total.length, 1);
  // The longest-running steps come first.
  const longest = running.toSorted((one, other) => one.since - other.since);
  const shown = new Set(running.length <= room ? running : longest.slice(0, Math.max(room - 1, 0)));
  const widest = Math.max(...running.map(({ host }) => stringWidth(printable(host))));
  const hostColumns = Math.min(widest, Math.max(Math.floor(style.columns() / 3), 8));
  const now = activity.now();
  const lines = running
    .filter((step) => shown.has(step))
    .map((step) => stepLine(step, hostColumns, now, style));
  const rest = running.length - shown.size;
  if (rest > 0) lines.push(style.paint('dim', `${style.marks.more} and ${rest} more`));
  return [...lines, ...total.map((text) => style.paint('dim', truncate(text, style.columns(), style)))];
}

/** A terminal: running steps stay at the bottom, results scroll above them. */
export function createLiveScreen(output: Terminal, activity: Activity, style: Style): Screen {
  // The cursor stays visible: after a SIGKILL nothing would show it again.
  const region = createLogUpdate(output, { showCursor: true });
  let waiting: NodeJS.Timeout | undefined;
  const draw = (): void => {
    // Never the whole screen: results need room above.
    const rows = Math.max(Math.floor(((output.rows || DEFAULT_ROWS) * 2) / 3), 1);
    const lines = activityLines(activity, rows, style);
    if (lines.length === 0) region.clear();
    else region(lines.join('\n'));
  };
  const stop = (): void => {
    clearTimeout(waiting);
    waiting = undefined;
  };
  return {
    print(lines) {
      if (lines.length === 0) return;
      region.clear();
      output.write(`${lines.join('\n')}\n`);
      draw();
    },
    aside(write) {
      region.clear();
      write();
      draw();
    },
    refresh() {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        draw();
      }, BETWEEN_DRAWINGS).unref();
    },
    tick: draw,
    clear() {
      stop();
      region.clear();
    },
  };
}
