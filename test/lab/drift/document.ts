import stringWidth from 'string-width';
import type { Damage } from './damage.ts';
import type { Refusal } from './refusal.ts';

const introduction = `# Drift

What was done by hand to the hosts of the whole site, on three hosts of the lab, how \`plan\` showed it, and what \`apply\` did about it. This page is made from the data of the test that does it: \`npm run docs\`.

Each damage was there, as other programs than Hostwright saw it, before; was shown by \`plan\` as what is below, with the cause \`drift\`, and nothing was shown that does not follow from it; was reported by \`drift\`, with exit status 2; was gone after one \`apply\`, as the same other programs saw it; and then \`plan\` was empty. The host that was left alone in a round had no changes.

Damage that only a person can decide about, or that a host cannot heal in its state, is under [Refused](#refused).

**Seen as** are the resource, the action and the attributes that differ. An attribute without values has some that say nothing to a reader, such as digests.
`;

const healed: Readonly<Record<string, string>> = {
  create: 'made again',
  update: 'put right',
  run: 'put right',
  delete: 'removed',
  reload: 'reload',
  restart: 'restart',
};

/** A cell: a bar would end it. */
function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}

function code(text: string): string {
  return text === '' ? 'nothing' : `\`${text}\``;
}

function attribute([name, values]: readonly [string, string]): string {
  if (values === '') return name;
  const [from = '', to = ''] = values.split(' → ');
  return `${name} ${code(from)} → ${code(to)}`;
}

function seenAs({ resource, action, seen = {}, isDeep }: Damage): string {
  const attributes = Object.entries(seen).map(attribute).join(', ');
  const how = isDeep === true ? ', with `--deep`' : '';
  return `\`${resource}\` ${action}${how}${attributes === '' ? '' : `: ${attributes}`}`;
}

/** What the one apply does: to the resource, and to the services that have read it. */
function healedBy({ action, follows = [] }: Damage): string {
  const services = follows.flatMap((line) => {
    const [id = '', verb = ''] = line.split(' ');
    return id.startsWith('service:') ? [`${healed[verb] ?? verb} of ${id.slice('service:'.length)}`] : [];
  });
  const others = follows.filter((line) => !line.startsWith('service:')).length;
  const rest = others === 0 ? [] : [`and ${others} more below it`];
  const own = healed[action] ?? action;
  return [own, ...rest, ...services.map((text) => text.replace('put right of', 'start of'))].join(', ');
}

/** As prettier aligns a table. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => stringWidth(row[column] ?? ''))),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text + ' '.repeat((widths[column] ?? 0) - stringWidth(text))).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const refused = `## Refused

No run heals these. The error names the cause in the words below; \`apply\` leaves the damage as it is, and changes nothing else where no plan could be made. Once a person has taken the cause away, one \`apply\` heals the rest, and the next \`plan\` is empty.
`;

function refusedRow(refusal: Refusal): readonly string[] {
  const { what, by, resource, says } = refusal;
  const on = resource === undefined ? 'the host' : `\`${resource}\``;
  const error = by === 'plan' ? `\`plan\`: \`${refusal.code}\`` : '`apply`';
  return [what, on, error, says.map((part) => `"${part}"`).join(', ')].map(cell);
}

/** The text of docs/drift.md. */
export function driftPage(
  fields: Readonly<Record<string, readonly Damage[]>>,
  refusals: readonly Refusal[],
): string {
  const all = Object.values(fields).flat();
  const roles = new Set(all.map(({ role }) => role));
  const total = `${all.length + refusals.length} kinds of damage: ${all.length} over ${roles.size} roles are healed, ${refusals.length} are refused.\n`;
  const sections = Object.entries(fields).map(([title, damages]) => {
    const rows = damages.map((damage) =>
      [damage.what, damage.role, seenAs(damage), healedBy(damage)].map(cell),
    );
    return `## ${title}\n\n${table(['damage', 'role', 'seen as', 'healed by'], rows)}\n`;
  });
  const last = table(['damage', 'refused is', 'by', 'the error says'], refusals.map(refusedRow));
  return [introduction, total, ...sections, refused, `${last}\n`].join('\n');
}
