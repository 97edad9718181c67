import type { Action } from '../resources/state.ts';
import { diffLines } from './diff-lines.ts';
import type { ChangedFact, ChangeEvent, RemarkEvent, ReportedAttribute } from '../plan/event.ts';
import { type ChangeGroup, groupChanges } from './group.ts';
import { enumerate, hang, truncate } from './layout.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

const INDENT = ' '.repeat(6);
/** Host names in a heading when the output has no width. */
const HEADING_COLUMNS = 100;
/** Values of a new resource are cut; the JSON has them in full. */
const NEW_VALUE_COLUMNS = 60;

const colours = {
  create: 'green',
  update: 'yellow',
  delete: 'red',
  run: 'cyan',
  reload: 'cyan',
  restart: 'magenta',
} as const satisfies Record<Action, string>;

/** Paths that are named in a remark; the JSON has them all. */
const NAMED = 3;

/** `file:/etc/hosts` as people read it: `file /etc/hosts`. */
export function resourceTitle(resource: string): string {
  return printable(resource.replace(':', ' '));
}

function value(text: string | null): string {
  if (text === null) return 'none';
  // Digests tell nothing beyond their first digits.
  if (/^(sha\d+:)?[0-9a-f]{32,}$/.test(text)) return text.replace(/^sha\d+:/, '').slice(0, 12);
  return text === '' || text.trim() !== text ? `'${printable(text)}'` : printable(text);
}

function heading(group: ChangeGroup, style: Style): string {
  const role = ` ${style.marks.between} ${printable(group.role)}`;
  const room = Math.min(style.columns(), HEADING_COLUMNS) - role.length;
  let shown = group.hosts.length;
  const names = (): string => {
    const rest = group.hosts.length - shown;
    return group.hosts.slice(0, shown).map(printable).join(' ') + (rest === 0 ? '' : ` and ${rest} more`);
  };
  while (shown > 1 && names().length > room) shown -= 1;
  return style.paint('bold', truncate(names() + role, style.columns(), style));
}

/** `memory went from 2048 MiB to 4096 MiB`; of lists what they have lost and won. */
function factChange({ name, from, to }: ChangedFact): string {
  const fact = printable(name);
  if (to === null) return `${fact} no longer has ${value(from)}`;
  return from === null ? `${fact} now has ${value(to)}` : `${fact} went from ${value(from)} to ${value(to)}`;
}

function notes(change: ChangeEvent): string[] {
  const { action, cause, facts = [], why, knownAfter, takesUp = [], drains } = change;
  const isVerb = action === 'reload' || action === 'restart' || action === 'run';
  const reason = why === undefined ? undefined : printable(why);
  const all = isVerb
    ? [reason === undefined ? action : `${action}: ${reason}`]
    : reason === undefined
      ? []
      : [reason];
  if (takesUp.length > 0)
    all.push(`takes up ${enumerate(takesUp.map(printable), NAMED)}, which no role declares`);
  if (drains !== undefined)
    all.push(`out of service meanwhile, after ${drains} s at most for requests in hand`);
  if (cause === 'drift') all.push('drifted');
  if (facts.length > 0) all.push(`because ${facts.map(factChange).join(', ')}`);
  if (knownAfter !== undefined) all.push(`known after ${printable(knownAfter)}`);
  return all;
}

/** The attributes, without the content when a diff shows it. */
function plainAttributes(change: ChangeEvent, withDiff: boolean): readonly ReportedAttribute[] {
  return withDiff ? change.attributes.filter(({ name }) => name !== 'content') : change.attributes;
}

function newAttributes(attributes: readonly ReportedAttribute[], style: Style): string {
  return attributes
    .filter(({ to }) => to !== null)
    .map(({ name, to }) => `${printable(name)} ${truncate(value(to), NEW_VALUE_COLUMNS, style)}`)
    .join(', ');
}

function changeLines(change: ChangeEvent, diffs: boolean, style: Style): string[] {
  const { action } = change;
  const diff = diffs && change.diff !== undefined && change.diff !== '' ? change.diff : undefined;
  const attributes = plainAttributes(change, diff !== undefined);
  const remarks = notes(change);
  if (action === 'create') remarks.push(newAttributes(attributes, style));
  const remark = remarks.filter((text) => text !== '').join('; ');
  const lead = `  ${style.paint(colours[action], style.marks.action[action])} `;
  const title = resourceTitle(change.resource);
  const lines = hang(lead, remark === '' ? title : `${title}   ${style.paint('dim', remark)}`, style);
  if (action !== 'create') {
    for (const { name, from, to } of attributes) {
      lines.push(
        ...hang(INDENT, `${printable(name)} ${value(from)} ${style.marks.arrow} ${value(to)}`, style),
      );
    }
  }
  if (diff !== undefined && action !== 'delete')
    lines.push(...diffLines(diff, action === 'create', INDENT, style));
  return lines;
}

/** `web1 · base, package files: settings of packages were changed …`. */
export function remarkLines({ host, role, resource, text }: RemarkEvent, style: Style): string[] {
  const about = `${printable(host)} ${style.marks.between} ${printable(role)}, ${resourceTitle(resource)}: `;
  return hang(style.paint('bold', about), printable(text), style);
}

function groupLines(group: ChangeGroup, diffs: boolean, style: Style): string[] {
  const lines = group.changes.flatMap((change) => changeLines(change, diffs, style));
  return [heading(group, style), ...lines];
}

/** The changes of a plan for people, grouped by role and hosts. */
export function planLines(changes: readonly ChangeEvent[], diffs: boolean, style: Style): string[] {
  return groupChanges(changes).flatMap((group) => groupLines(group, diffs, style));
}
