import type { Action } from '../resources/state.ts';
import type { ResultEvent } from '../plan/event.ts';
import { gather } from './group.ts';
import { duration, enumerate, hang, pad, truncate } from './layout.ts';
import { resourceTitle } from './plan-lines.ts';
import { printable, printableLines } from './printable.ts';
import type { Style } from './style.ts';

/** Names of resources in a line; the plan has them all. */
const NAMED = 5;
/** The last lines of a command tell why it failed. */
const LAST_WORDS = 20;
/** A step shorter than this needs no time beside it. */
const WORTH_TELLING = 1000;

const done = {
  create: 'created',
  update: 'updated',
  delete: 'removed',
  run: 'run',
  reload: 'reloaded',
  restart: 'restarted',
} as const satisfies Record<Action, string>;

const undone = {
  create: 'not created',
  update: 'not updated',
  delete: 'not removed',
  run: 'failed',
  reload: 'not reloaded',
  restart: 'not restarted',
} as const satisfies Record<Action, string>;

interface Batch {
  readonly host: string;
  /** Cells that the names of hosts are filled up to. */
  readonly hostColumns: number;
  /** What the host did last. */
  readonly step: string | undefined;
  readonly results: readonly ResultEvent[];
}

/** `package nginx, socat, file /etc/hosts`: a type is not repeated. */
export function titles(results: readonly { readonly resource: string }[]): string[] {
  const type = (index: number): string | undefined => results[index]?.resource.split(':', 1)[0];
  return results.map(({ resource }, index) =>
    type(index) === type(index - 1)
      ? printable(resource.slice(resource.indexOf(':') + 1))
      : resourceTitle(resource),
  );
}

function names(results: readonly ResultEvent[]): string {
  return enumerate(titles(results), NAMED);
}

function roles(results: readonly ResultEvent[]): string {
  return [...new Set(results.map(({ role }) => printable(role)))].join(', ');
}

function changedLine(batch: Batch, results: readonly ResultEvent[], style: Style): string {
  const { marks } = style;
  const [first] = results;
  if (first === undefined) return '';
  const longest = Math.max(...results.map(({ ms }) => ms));
  const time = longest < WORTH_TELLING ? '' : `  ${duration(longest)}`;
  const what =
    results.length === 1
      ? `${resourceTitle(first.resource)} ${done[first.action]}`
      : `${results.length} changed: ${names(results)}`;
  const lead = `${pad(printable(batch.host), batch.hostColumns)} ${marks.done} ${roles(results)}  `;
  const text = truncate(lead + what, style.columns() - time.length, style);
  return text.replace(` ${marks.done} `, ` ${style.paint('green', marks.done)} `) + style.paint('dim', time);
}

function reasonLines(reason: string, indent: string, style: Style): string[] {
  const [message = '', ...words] = printableLines(reason);
  const lines = hang(indent, style.paint('red', message), style);
  const cut = Math.max(words.length - LAST_WORDS, 0);
  const quote = `${indent}${style.marks.quote} `;
  if (cut > 0) lines.push(style.paint('dim', `${quote}${style.marks.more} ${cut} earlier lines`));
  for (const word of words.slice(cut)) lines.push(...hang(style.paint('dim', quote), word, style));
  return lines;
}

function failedLines(batch: Batch, results: readonly ResultEvent[], style: Style): string[] {
  const [first] = results;
  if (first === undefined) return [];
  const host = pad(printable(batch.host), batch.hostColumns);
  const what =
    results.length === 1
      ? `${resourceTitle(first.resource)} ${undone[first.action]}`
      : `${results.length} failed: ${titles(results).join(', ')}`;
  const lead = `${host} ${style.paint(['bold', 'red'], style.marks.failed)} `;
  const indent = ' '.repeat(6);
  const lines = hang(lead, `${roles(results)}  ${style.paint('bold', what)}`, style);
  if (batch.step !== undefined) lines.push(...hang(`${indent}while: `, printable(batch.step), style));
  if (first.reason !== undefined) lines.push(...reasonLines(first.reason, indent, style));
  return lines;
}

function skippedLines(batch: Batch, results: readonly ResultEvent[], style: Style): string[] {
  const host = pad(printable(batch.host), batch.hostColumns);
  const reason = results[0]?.reason;
  const why = reason === undefined ? '' : `: ${printable(reason)}`;
  const lead = `${host} ${style.paint('yellow', style.marks.skipped)} `;
  const what = `${roles(results)}  ${results.length} skipped${why}`;
  return hang(lead, `${what} ${style.paint('dim', `(${names(results)})`)}`, style);
}

/**
 * The results of a host since its last lines: one line per role for changes, failures in full, and skipped
 * resources by reason. A failure that several resources share (one package transaction) appears once.
 */
export function resultLines(batch: Batch, style: Style): string[] {
  const having = (outcome: ResultEvent['outcome']): ResultEvent[] =>
    batch.results.filter((result) => result.outcome === outcome);
  const changed = gather(having('changed'), ({ role }) => role);
  const failed = gather(having('failed'), ({ reason }) => reason ?? '');
  const skipped = gather(having('skipped'), ({ reason }) => reason ?? '');
  return [
    ...[...changed.values()].map((results) => changedLine(batch, results, style)),
    ...[...failed.values()].flatMap((results) => failedLines(batch, results, style)),
    ...[...skipped.values()].flatMap((results) => skippedLines(batch, results, style)),
  ];
}
