import { z } from 'zod';
import { sh } from '../transport/shell.ts';
import { accountName } from './attribute.ts';
import { accountFiles, restoring } from './capabilities/access.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { each } from './step.ts';

const schema = z.strictObject({
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
  absent: z.boolean().default(false),
});

/** The numbers of groups by name, from what `getent group` printed. */
function parseGroups(output: Buffer): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const entry of output.toString('utf8').split('\n').filter(Boolean)) {
    const [name, , gid] = entry.split(':');
    if (name === undefined || gid === undefined || !/^\d+$/.test(gid)) {
      throw new RangeError(`unexpected group entry "${entry}"`);
    }
    found.set(name, Number(gid));
  }
  return found;
}

export const groupType = defineResource({
  name: 'group',
  summary: 'A group of users; the members are declared by the users',
  schema,
  key: (group) => group.name,
  want: (group) => (group.absent ? null : { gid: group.gid }),
  probe: (batch) => ({
    script: sh`getent group ${batch.map((group) => group.name)} || [ $? -eq 2 ]`,
    parse: (output) => {
      const found = parseGroups(output);
      return batch.map((group) => {
        const gid = found.get(group.name);
        return gid === undefined ? null : { gid };
      });
    },
  }),
  apply: each(({ id, desired: { name, gid, system, absent } }) => {
    if (absent) {
      const script = sh`if getent group ${name} >/dev/null; then groupdel ${name}; fi`;
      return { resources: [id], title: `remove group ${name}`, script };
    }
    const number = gid === undefined ? [] : ['--gid', gid];
    const modify = gid === undefined ? sh`:` : sh`groupmod ${number} ${name}`;
    const script = sh`if getent group ${name} >/dev/null; then ${modify}
else groupadd ${system ? ['--system'] : []} ${number} ${name}; fi`;
    return { resources: [id], title: `make group ${name}`, script };
  }),
  order: { provides: (group, { kind, name }) => kind === 'group' && group.name === name },
  // Groups that go may be what sshd or sudo lets somebody in by.
  access: {
    guard: ({ action }, login) =>
      action === 'delete' && login !== undefined ? restoring(accountFiles) : undefined,
  },
});

/** A group of users: `group('app', { system: true })`. */
export function group(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(groupType, { name, ...attributes }, options);
}
