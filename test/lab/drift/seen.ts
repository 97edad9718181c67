import { z } from 'zod';
import type { Damage } from './damage.ts';

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
export function expectedChanges(damages: readonly Damage[]): readonly string[] {
  const all = damages.flatMap(({ host, resource, action, follows = [] }) => [
    `${host} ${resource} ${action}`,
    ...follows.map((follow) => `${host} ${follow}`),
  ]);
  return [...new Set(all)].toSorted();
}

/** The attributes that the damages of one resource show: those of each of them. */
export function expectedAttributes(damages: readonly Damage[]): Readonly<Record<string, string>> {
  return Object.assign({}, ...damages.map(({ seen = {} }) => seen)) as Record<string, string>;
}

/** What a service also shows when another damage of the same round is to its files. */
const followUps: ReadonlySet<string> = new Set(['reload', 'restart']);

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
