import type { Entry } from '../logs/entry.ts';
import { hang, pad } from './layout.ts';
import { printable, printableLines } from './printable.ts';
import type { Style } from './style.ts';

type Format = Parameters<Style['paint']>[0];

const hostColours = ['cyan', 'green', 'magenta', 'blue', 'yellow'] as const;

/** A colour for each host, in the order of the inventory. */
export type HostColours = ReadonlyMap<string, Format>;

export function coloursOf(hosts: readonly string[]): HostColours {
  return new Map(hosts.map((host, index) => [host, hostColours[index % hostColours.length] ?? 'cyan']));
}

function two(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}

/** `2026-03-01 10:00:00.123` in local time; without day and milliseconds on a narrow terminal. */
function localTime(microseconds: number, isNarrow: boolean): string {
  const date = new Date(microseconds / 1000);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (isNarrow) return clock;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clock}.${two(date.getMilliseconds(), 3)}`;
}

function importance(priority: number | undefined): Format | undefined {
  if (priority === undefined || priority === 5 || priority === 6) return undefined;
  if (priority <= 3) return 'red';
  return priority === 4 ? 'yellow' : 'dim';
}

/** Cells below which a line says only the hour. */
const narrow = 100;

/** An entry as lines for people: time, host, program, message. What came from the host is harmless. */
export function logLines(entry: Entry, colours: HostColours, style: Style): readonly string[] {
  const columns = style.columns();
  const isNarrow = columns < narrow;
  const width = Math.max(...[...colours.keys()].map((name) => name.length));
  const time = localTime(entry.time, isNarrow);
  const lead = `${style.paint('dim', time)} ${style.paint(colours.get(entry.host) ?? 'cyan', pad(entry.host, width))} `;
  const message = entry.message ?? '(more than 4096 bytes: journalctl --all on the host shows it)';
  const from = printable(entry.identifier ?? entry.unit ?? 'unknown');
  const pid = entry.pid === undefined || isNarrow ? '' : `[${printable(entry.pid)}]`;
  const colour = importance(entry.priority);
  const painted = (text: string): string => (colour === undefined ? text : style.paint(colour, text));
  const [head = '', ...rest] = printableLines(message);
  const indent = ' '.repeat(time.length + width + 2);
  const texts = [
    [lead, `${style.paint('bold', from)}${pid}: ${painted(head)}`],
    ...rest.map((line) => [indent, painted(line)]),
  ];
  return texts.flatMap(([before = '', text = '']) =>
    columns === Infinity ? [before + text] : hang(before, text, style),
  );
}

/** An entry as one line of `--json`; the time to the microsecond, UTC. */
export function logJson({ host, time, priority, unit, identifier, pid, message }: Entry): string {
  const seconds = new Date(Math.floor(time / 1000)).toISOString().slice(0, -1);
  const at = `${seconds}${two(time % 1000, 3)}Z`;
  return JSON.stringify({ type: 'log', host, time: at, priority, unit, identifier, pid, message });
}
