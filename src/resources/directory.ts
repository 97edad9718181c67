import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { sh } from '../transport/shell.ts';
import { ownerName, ownership } from './attribute.ts';
import { enter } from './shell/enter.ts';
import { removal, remove } from './shell/removal.ts';
import { foreseeOwners, mode, ownersAfter, ownersRequired, path, isWithin } from './path.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { each } from './step.ts';
import { entries, inTurn, ownersOf, parseStat, statProbe } from './shell/stat.ts';

const schema = z.strictObject({
  path,
  owner: ownerName.prefault('root'),
  group: ownerName.prefault('root'),
  mode: mode.prefault('0755'),
  absent: z.boolean().default(false).describe('Removes the directory with everything in it'),
});

export const directoryType = defineResource({
  name: 'directory',
  summary: 'A directory with its owner and mode; its content stays unchanged',
  schema,
  key: (directory) => directory.path,
  want: ({ absent, owner, group, mode: bits }) =>
    absent ? null : { kind: 'directory', owner, group, mode: bits },
  probe: (batch) => {
    const paths = (absent: boolean): readonly string[] =>
      batch.filter((directory) => directory.absent === absent).map((directory) => directory.path);
    return {
      ...inTurn([
        statProbe(paths(false), { hash: false, weigh: false }),
        statProbe(paths(true), { hash: false, weigh: true }),
      ]),
      parse: (output) => {
        const found = parseStat(output);
        return batch.map((directory) => {
          const stat = found.get(directory.path);
          return stat === undefined
            ? null
            : { kind: stat.kind, ...ownersOf(stat, directory), mode: stat.mode, ...entries(stat) };
        });
      },
    };
  },
  apply: each(({ id, desired }) => {
    if (desired.absent) {
      return { resources: [id], title: `remove ${desired.path}`, script: remove(desired.path, true) };
    }
    const name = basename(desired.path);
    // Only five digits take a set-user-ID or set-group-ID bit off a directory.
    const script = sh`${removal}
${enter(dirname(desired.path), { make: true })}
if [ -L ./${name} ] || [ ! -d ./${name} ]; then rm -f ./${name} || hw_stuck ./${name}; mkdir ./${name}; fi
hw_enter "$PWD/"${name}
chown ${ownership(desired)} . || hw_stuck .
chmod ${`0${desired.mode}`} .`;
    return { resources: [id], title: `make ${desired.path}`, script };
  }),
  comparison: { computed: ['entries'], implied: ['kind'] },
  order: {
    after: ownersAfter,
    requires: ownersRequired,
    // It makes what is above it.
    provides: (directory, { kind, name }) => kind === 'directory' && isWithin(directory.path, name),
    foresee: foreseeOwners,
  },
  files: {
    path: (directory) => directory.path,
    staged: 'below',
    removesFolder: (directory) => directory.absent,
  },
});

/** A directory: `directory('/srv/app', { owner: 'app', mode: '0750' })`. */
export function directory(
  at: string,
  attributes: Omit<z.input<typeof schema>, 'path'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(directoryType, { path: at, ...attributes }, options);
}
