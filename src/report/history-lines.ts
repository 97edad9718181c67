import type { JournalChange, JournalEntry } from '../plan/journal.ts';
import { count, duration, enumerate, hang } from './layout.ts';
import { printable } from './printable.ts';
import { titles } from './result-lines.ts';
import type { Style } from './style.ts';

/** Hosts, and resources, that a line names. */
const NAMED = 5;

/** What one run did to one host. */
export interface HostEntry {
  readonly host: string;
  readonly entry: JournalEntry;
}

/** What one run did to its hosts. */
export interface RunEntry {
  readonly head: JournalEntry['head'];
  /** The addresses that it came from. */
  readonly from: readonly string[];
  readonly hosts: readonly HostEntry[];
}

/** The runs that several hosts know of, the oldest first. Only what they agree about is one run. */
export function mergeEntries(entries: readonly HostEntry[]): readonly RunEntry[] {
  const runs = new Map<string, HostEntry[]>();
  for (const one of entries) {
    const { from: _, ...head } = one.entry.head;
    const key = JSON.stringify(head);
    runs.set(key, [...(runs.get(key) ?? []), one]);
  }
  const merged = [...runs.values()].flatMap((hosts): RunEntry[] => {
    const [first] = hosts;
    if (first === undefined) return [];
    const from = [...new Set(hosts.flatMap(({ entry }) => entry.head.from ?? []))];
    return [{ head: first.entry.head, from, hosts }];
  });
  return merged.toSorted((one, other) => Date.parse(one.head.start) - Date.parse(other.head.start));
}

function pad2(number: number): string {
  return String(number).padStart(2, '0');
}

/** Of this machine's time zone: `2026-11-22 10:48:37`. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  const date = [at.getFullYear(), pad2(at.getMonth() + 1), pad2(at.getDate())].join('-');
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(pad2).join(':')}`;
}

function headLine({ head, from, hosts }: RunEntry, style: Style): string {
  const what = head.action === undefined ? head.verb : `${head.verb} ${printable(head.action)}`;
  const commit = head.commit === undefined ? '' : printable(head.commit).slice(0, 12);
  const ms = Math.max(...hosts.map(({ entry }) => entry.ms ?? 0));
  const parts = [
    `${what} by ${printable(head.who)}${from.length === 0 ? '' : ` from ${from.map(printable).join(', ')}`}`,
    head.limit === undefined ? '' : `--limit ${printable(head.limit)}`,
    head.shard === undefined ? '' : `--shard ${printable(head.shard)}`,
    head.roles === undefined ? '' : `--role ${head.roles.map(printable).join(', ')}`,
    commit === '' ? '' : `commit ${commit}${head.isClean === false ? ' with uncommitted changes' : ''}`,
    ms === 0 ? '' : duration(ms),
  ];
  const rest = parts.filter((part) => part !== '').join(', ');
  return `${style.paint('bold', localTime(head.start))}  ${rest}`;
}

function resources(changes: readonly JournalChange[], more: number): string {
  const all = titles(changes);
  const shown = all.length <= NAMED + 1 ? all : all.slice(0, NAMED);
  const rest = all.length - shown.length + more;
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
}

function outcomeText({ state, changes, more }: JournalEntry): string {
  if (state === 'unchanged') return 'no changes made';
  const of = (outcome: JournalChange['outcome']): readonly JournalChange[] =>
    changes.filter((change) => change.outcome === outcome);
  const [changed, failed, skipped, begun] = [of('changed'), of('failed'), of('skipped'), of('begun')];
  // Those that failed are always named.
  const left = { changed: more, begun: 0 };
  if (state === 'open') {
    const what = begun.length === 0 ? '' : `; begun: ${resources(begun, more)}`;
    return `no end is recorded: the run was cut off, or goes on${what}`;
  }
  const parts = [
    failed.length === 0 ? '' : `${failed.length} failed: ${resources(failed, 0)}`,
    changed.length === 0
      ? ''
      : `${changed.length + left.changed} changed: ${resources(changed, left.changed)}`,
    skipped.length === 0 ? '' : `${skipped.length} ${state === 'interrupted' ? 'not done' : 'skipped'}`,
  ].filter((part) => part !== '');
  const text = parts.length > 0 ? parts.join('; ') : state === 'failed' ? 'failed' : 'done';
  return state === 'interrupted' ? `interrupted; ${text}` : text;
}

function markOf({ state }: JournalEntry, style: Style): string {
  const { marks } = style;
  if (state === 'ok') return style.paint('green', marks.done);
  if (state === 'unchanged') return style.paint('dim', marks.skipped);
  return style.paint(state === 'failed' ? 'red' : 'yellow', marks.failed);
}

/** One run: who did what when, and what it came to; hosts of which the same is to be said share a line. */
export function historyLines(run: RunEntry, style: Style): string[] {
  const lines = new Map<string, { readonly mark: string; readonly names: string[] }>();
  for (const { host, entry } of run.hosts) {
    const text = outcomeText(entry);
    const line = lines.get(text) ?? { mark: markOf(entry, style), names: [] };
    line.names.push(printable(host));
    lines.set(text, line);
  }
  return [
    ...hang('', headLine(run, style), style, 2),
    ...[...lines].flatMap(([text, { mark, names }]) => {
      const who = names.length > NAMED + 1 ? count(names.length, 'host') : '';
      const shown = who === '' ? names.join(', ') : `${who} (${enumerate(names, NAMED)})`;
      return hang(`  ${mark} `, `${shown}  ${text}`, style, 2);
    }),
  ];
}
