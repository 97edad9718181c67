import { z } from 'zod';
import { lines, sh, type Script } from '../transport/shell.ts';
import { accountName } from './attribute.ts';
import { accountFiles, restoring } from './capabilities/access.ts';
import { isNamed, parseMembers, printMembers, removeMembers, undeclaredMembers } from './members.ts';
import {
  declare,
  defineResource,
  type DeclaredPaths,
  type Resource,
  type ResourceOptions,
} from './resource.ts';
import type { Change, Difference } from './state.ts';
import { each, type Step } from './step.ts';
import { nothing } from './undeclared.ts';

const schema = z
  .strictObject({
    name: accountName,
    gid: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 2)
      .optional()
      .describe(
        'Default: unchanged; a new group gets the next free GID. A change does not affect existing files',
      ),
    system: z.boolean().default(false).describe('A new group gets a GID of the system range'),
    exclusive: z
      .boolean()
      .default(false)
      .describe(
        'Removes the members that no `user` of the host declares, also those who have it as their primary group, and those of another group with its number',
      ),
    keep: z
      .array(z.string())
      .default([])
      .describe('With `exclusive`: accounts that stay although no `user` declares them to be in it'),
    absent: z.boolean().default(false),
  })
  .refine(({ exclusive, keep }) => exclusive || keep.length === 0, {
    message: 'expected "exclusive: true" as well',
    path: ['keep'],
  });

type Group = z.output<typeof schema>;

function clears({ exclusive, absent }: Group): boolean {
  return exclusive && !absent;
}

/** The numbers of groups by name, from what `getent group` printed. */
function parseGroups(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const entry of text.split('\n').filter(Boolean)) {
    const [name, , gid] = entry.split(':');
    if (name === undefined || gid === undefined || !/^\d+$/.test(gid)) {
      throw new RangeError(`unexpected group entry "${entry}"`);
    }
    found.set(name, Number(gid));
  }
  return found;
}

function probeScript(batch: readonly Group[]): Script {
  const cleared = batch.filter(clears).map((group) => group.name);
  const numbers = sh`getent group ${batch.map((group) => group.name)} || [ $? -eq 2 ]`;
  return cleared.length === 0 ? numbers : lines([numbers, sh`echo`, printMembers(cleared)]);
}

function statesOf(batch: readonly Group[], output: Buffer, host: DeclaredPaths) {
  const text = output.toString('utf8');
  const end = batch.some(clears) ? `\n${text}`.indexOf('\n\n') : text.length;
  if (end < 0) throw new RangeError('the answer about groups is cut off');
  const found = parseGroups(text.slice(0, end));
  const members = batch.some(clears) ? parseMembers(text.slice(end)) : undefined;
  return batch.map((group) => {
    const gid = found.get(group.name);
    if (gid === undefined) return null;
    const isRead = members !== undefined && clears(group);
    return { gid, ...(isRead ? { undeclared: undeclaredMembers(group, members, host) } : {}) };
  });
}

function makeOrAdjust({ name, gid, system }: Group): Script {
  const number = gid === undefined ? [] : ['--gid', gid];
  const modify = gid === undefined ? sh`:` : sh`groupmod ${number} ${name}`;
  return sh`if getent group ${name} >/dev/null; then ${modify}
else groupadd ${system ? ['--system'] : []} ${number} ${name}; fi`;
}

/** Whom a change takes out of the group, in words. */
function leavingMembers({ attributes }: Difference): string | undefined {
  const from = attributes.find(({ name }) => name === 'undeclared')?.from;
  return typeof from === 'string' && from !== nothing ? from : undefined;
}

function stepOf(change: Change<Group>): Step {
  const { id, desired } = change;
  const { name, absent } = desired;
  if (absent) {
    const script = sh`if getent group ${name} >/dev/null; then groupdel ${name}; fi`;
    return { resources: [id], title: `remove group ${name}`, script };
  }
  const named = leavingMembers(change);
  if (named === undefined)
    return { resources: [id], title: `make group ${name}`, script: makeOrAdjust(desired) };
  const script = lines([makeOrAdjust(desired), removeMembers(name, named)]);
  return { resources: [id], title: `remove members of group ${name}`, script };
}

export const groupType = defineResource({
  name: 'group',
  summary: 'A group of users. The members are declared by the users; others stay, unless it is `exclusive`',
  schema,
  key: (group) => group.name,
  want: (group) =>
    group.absent ? null : { gid: group.gid, undeclared: clears(group) ? nothing : undefined },
  probe: (batch, host) => ({
    script: probeScript(batch),
    parse: (output) => statesOf(batch, output, host),
  }),
  apply: each(stepOf),
  comparison: { implied: ['undeclared'] },
  order: { provides: (group, { kind, name }) => kind === 'group' && group.name === name },
  // A group that goes, or that the user of the connection has to leave, may be what sshd or sudo lets it in by.
  access: {
    guard: (change, login) => {
      if (login === undefined) return undefined;
      const goes = change.action === 'delete' || isNamed(login.user, leavingMembers(change) ?? '');
      return goes ? restoring(accountFiles) : undefined;
    },
  },
});

/**
 * A group of users: `group('app', { system: true })`, or one that lets in nobody but whom users declare:
 * `group('secrets', { exclusive: true, keep: ['backup'] })`.
 */
export function group(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(groupType, { name, ...attributes }, options);
}
