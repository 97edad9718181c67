import stringWidth from 'string-width';
import type { ErrorEvent, HostSummary, ResultEvent, SummaryEvent } from '../plan/event.ts';
import { count, duration, enumerate, hang, pad } from './layout.ts';
import { titles } from './result-lines.ts';
import { gather } from './group.ts';
import { hostsThat, total } from './plan-total.ts';
import { printable, printableLines } from './printable.ts';
import type { Style } from './style.ts';

/** With more hosts than this, only those with errors get a line. */
const MANY_HOSTS = 20;
/** Failures named for one host; all were shown in full before. */
const FAILURES = 5;
const NAMED = 10;

/** The failures of a host during the apply. */
export interface Trouble {
  readonly failures: readonly ResultEvent[];
  readonly errors: readonly ErrorEvent[];
}

const noTrouble: Trouble = { failures: [], errors: [] };

function isWell(host: HostSummary, trouble: Trouble): boolean {
  return !host.unreachable && host.failed === 0 && host.skipped === 0 && trouble.errors.length === 0;
}

function counts(host: HostSummary): string {
  const parts = [
    host.changed > 0 ? `${host.changed} changed` : '',
    host.failed > 0 ? `${host.failed} failed` : '',
    host.skipped > 0 ? `${host.skipped} skipped` : '',
    host.unreachable ? 'unreachable' : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'unchanged' : parts.join(', ');
}

function firstLine(text: string): string {
  return printableLines(text)[0] ?? '';
}

function troubleLines(trouble: Trouble, indent: string, style: Style): string[] {
  const reasons = [...gather(trouble.failures, ({ reason }) => firstLine(reason ?? ''))].map(
    ([message, failures]) => {
      const what = enumerate(titles(failures), NAMED);
      return message === '' ? what : `${what}: ${message}`;
    },
  );
  const shown = reasons.slice(0, FAILURES).concat(trouble.errors.map(({ message }) => firstLine(message)));
  const rest = reasons.length - FAILURES;
  const lead = `${indent}${style.paint('red', style.marks.failed)} `;
  const lines = shown.flatMap((reason) => hang(lead, reason, style));
  if (rest > 0) lines.push(`${indent}${style.marks.more} and ${rest} more`);
  return lines;
}

function hostLines(summary: SummaryEvent, troubles: ReadonlyMap<string, Trouble>, style: Style): string[] {
  const hosts = Object.entries(summary.hosts);
  const columns = Math.max(0, ...hosts.map(([name]) => stringWidth(printable(name))));
  const indent = ' '.repeat(Math.min(columns + 2, 6));
  const isShown = ([name, host]: readonly [string, HostSummary]): boolean =>
    hosts.length <= MANY_HOSTS || !isWell(host, troubles.get(name) ?? noTrouble);
  const shown = hosts.filter(isShown);
  const lines = shown.flatMap(([name, host]) => {
    const trouble = troubles.get(name) ?? noTrouble;
    const line = hang(`${pad(printable(name), columns)}  `, counts(host), style);
    return line.concat(troubleLines(trouble, indent, style));
  });
  const rest = hosts.length - shown.length;
  if (rest > 0) lines.push(`${style.marks.more} and ${count(rest, 'host')} without errors`);
  return lines;
}

function totalLine(summary: SummaryEvent): string {
  const { hosts } = summary;
  const changed = total(hosts, 'changed');
  const [failed, skipped] = [total(hosts, 'failed'), total(hosts, 'skipped')];
  const left = summary.interrupted === true ? 'not done' : 'skipped';
  const unreachable = hostsThat(hosts, (host) => host.unreachable).length;
  const parts = [
    `${changed} changed`,
    failed > 0 ? `${failed} failed` : '',
    skipped > 0 ? `${skipped} ${left}` : '',
  ].filter((part) => part !== '');
  const unchanged = total(hosts, 'resources') - total(hosts, 'changes');
  const word = summary.ok ? 'Done' : summary.interrupted === true ? 'Interrupted' : 'Failed';
  const where = `on ${count(Object.keys(hosts).length - unreachable, 'host')}`;
  const rest = [
    unreachable > 0 ? `${count(unreachable, 'host')} unreachable, ` : '',
    `${unchanged} unchanged`,
  ];
  return `${word}: ${parts.join(', ')} ${where}; ${rest.join('')}. ${duration(summary.seconds * 1000)}`;
}

function nextLines(summary: SummaryEvent, troubles: ReadonlyMap<string, Trouble>, style: Style): string[] {
  const unwell = Object.entries(summary.hosts)
    .filter(([name, host]) => !isWell(host, troubles.get(name) ?? noTrouble))
    .map(([name]) => printable(name));
  const all = Object.keys(summary.hosts).length;
  const unreachable = hostsThat(summary.hosts, (host) => host.unreachable);
  // After an interruption there may be nothing to fix.
  const fix = total(summary.hosts, 'failed') > 0 || unreachable.length > 0 || summary.interrupted !== true;
  const run = fix ? 'Fix the cause, then run' : 'Run';
  const made = total(summary.hosts, 'changed') + total(summary.hosts, 'failed') > 0;
  const stays = made ? 'Completed changes stay. ' : '';
  const lines = [`${stays}${run} the same command again${made ? ' to make the rest' : ''}.`];
  if (unwell.length > 0 && unwell.length < all && unwell.length <= NAMED) {
    lines.push(`For ${unwell.length === 1 ? 'this host' : 'these hosts'} only: --limit ${unwell.join(',')}`);
  }
  if (unreachable.length > 0) {
    lines.push(`To see why ${enumerate(unreachable, NAMED)} cannot be reached: hostwright doctor`);
  }
  return lines.flatMap((line) => hang('', line, style));
}

/** The end of an apply: a line a host, what failed and why, the total, and how to go on. */
export function applyLines(
  summary: SummaryEvent,
  troubles: ReadonlyMap<string, Trouble>,
  style: Style,
): string[] {
  const colour = summary.ok ? 'green' : summary.interrupted === true ? 'yellow' : 'red';
  const lines = [
    '',
    ...hostLines(summary, troubles, style),
    '',
    ...hang('', totalLine(summary), style).map((line) => style.paint(['bold', colour], line)),
  ];
  return summary.ok ? lines : [...lines, ...nextLines(summary, troubles, style)];
}
