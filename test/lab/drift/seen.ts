import { z } from 'zod';
import type { Damage } from './damage.ts';
import type { Refusal } from './refusal.ts';

const change = z.object({
  type: z.literal('change'),
  host: z.string(),
  role: z.string(),
  resource: z.string(),
  action: z.string(),
  cause: z.string(),
  attributes: z.array(z.object({ name: z.string(), from: z.string().nullable(), to: z.string().nullable() })),
});

/** A change as the plan shows it. */
export type Seen = z.output<typeof change>;

/** The changes among the lines of `plan --json`. */
export function changesOf(lines: readonly { readonly type: string }[]): readonly Seen[] {
  return lines.filter(({ type }) => type === 'change').map((line) => change.parse(line));
}

export function subject({ host, resource }: { readonly host: string; readonly resource: string }): string {
  return `${host} ${resource}`;
}

/** What the plan shows of damages: every one of them, what follows from them, and nothing else. */
export function expectedChanges(
  damages: readonly Pick<Damage, 'host' | 'resource' | 'action' | 'follows'>[],
): readonly string[] {
  const all = damages.flatMap(({ host, resource, action, follows = [] }) => [
    `${host} ${resource} ${action}`,
    ...follows.map((follow) => `${host} ${follow}`),
  ]);
  return [...new Set(all)].toSorted();
}

/** An attribute that names several damages: `a; b → none`, in the order in which they are done. */
function together(one: string | undefined, other: string): string {
  const [before = '', after] = other.split(' → ');
  if (one === undefined || one === '' || !one.endsWith(` → ${after ?? ''}`)) return other;
  return `${one.slice(0, one.lastIndexOf(' → '))}; ${before} → ${after ?? ''}`;
}

/** The attributes that the damages of one resource show: those of each of them. */
export function expectedAttributes(damages: readonly Damage[]): Readonly<Record<string, string>> {
  const expected: Record<string, string> = {};
  for (const [name, values] of damages.flatMap(({ seen = {} }) => Object.entries(seen))) {
    expected[name] = together(expected[name], values);
  }
  return expected;
}

/** What a service also shows when another damage of the same round is to its files. */
const followUps: ReadonlySet<string> = new Set(['reload', 'restart', 'current']);

/** The attributes of a change, in the words of a damage: `false → true`, or nothing where it says nothing. */
export function shownAttributes(
  { attributes }: Seen,
  expected: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    attributes
      .filter(({ name }) => expected[name] !== undefined || !followUps.has(name))
      .map(({ name, from, to }) => [name, expected[name] === '' ? '' : `${from ?? ''} → ${to ?? ''}`]),
  );
}

const error = z.object({
  type: z.literal('error'),
  host: z.string(),
  code: z.string(),
  message: z.string(),
  place: z.object({ resource: z.string().optional() }).optional(),
  found: z.string().optional(),
  expected: z.string().optional(),
  hint: z.string().optional(),
});

const failure = z.object({
  type: z.literal('result'),
  host: z.string(),
  resource: z.string(),
  outcome: z.literal('failed'),
  reason: z.string(),
});

/** Why a host, or a resource of it, is not as declared after a run: `web1 file:/etc/hosts E_REFUSED`. */
export interface Complaint {
  readonly line: string;
  /** All words of it. */
  readonly words: string;
}

/** What a run complains of: errors of hosts, with their codes, and changes that failed. */
export function complaintsOf(
  lines: readonly (Readonly<Record<string, unknown>> & { readonly type: string })[],
): readonly Complaint[] {
  return lines.flatMap((line): Complaint[] => {
    if (line.type === 'error') {
      const { host, place, code, message, found = '', expected = '', hint = '' } = error.parse(line);
      const words = [message, found, expected, hint].join('\n');
      return [{ line: [host, place?.resource, code].filter(Boolean).join(' '), words }];
    }
    if (line.type !== 'result' || line['outcome'] !== 'failed') return [];
    const { host, resource, reason } = failure.parse(line);
    return [{ line: `${host} ${resource} failed`, words: reason }];
  });
}

/** How `complaintsOf` calls a refusal. */
export function expectedComplaint(refusal: Refusal): string {
  const { host, resource } = refusal;
  return [host, resource, refusal.by === 'plan' ? refusal.code : 'failed'].filter(Boolean).join(' ');
}
