import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { lines, sh, type Script } from '../transport/shell.ts';
import { ownerName } from './attribute.ts';
import { foreseeOwners, mode, ownersAfter, ownersRequired, path, isWithin } from './path.ts';
import {
  declare,
  defineResource,
  type DeclaredPaths,
  type Probe,
  type Resource,
  type ResourceOptions,
} from './resource.ts';
import { enter } from './shell/enter.ts';
import { makePlain, plainFunction } from './shell/plain.ts';
import { removal, remove } from './shell/removal.ts';
import { entries, ownersOf, statProbe, type Stat } from './shell/stat.ts';
import { Unreadable, type Actual, type Change, type Difference } from './state.ts';
import { each, type Step } from './step.ts';
import { entriesIn, listBelow, namesOf, nothing, removeNamed, undeclaredIn } from './undeclared.ts';

const nameInside = z
  .string()
  .regex(
    /^[^/\0]+(\/[^/\0]+)*$/,
    'expected a name, or a path relative to the directory, without a slash at its end',
  );

const schema = z
  .strictObject({
    path,
    owner: ownerName.prefault('root'),
    group: ownerName.prefault('root'),
    mode: mode.prefault('0755'),
    exclusive: z
      .boolean()
      .default(false)
      .describe(
        'Removes what is in the directory and its sub-directories, and no resource of the host declares. A sub-directory that is declared keeps its content, unless it is exclusive too',
      ),
    keep: z
      .array(nameInside)
      .default([])
      .describe(
        'With `exclusive`: names that stay although nobody declares them, with `*` and `?`; a directory stays with everything in it',
      ),
    absent: z.boolean().default(false).describe('Removes the directory with everything in it'),
  })
  .refine(({ exclusive, path: at }) => !exclusive || at !== '/', {
    message: 'expected a directory below /',
    path: ['exclusive'],
  })
  .refine(({ exclusive, keep }) => exclusive || keep.length === 0, {
    message: 'expected "exclusive: true" as well',
    path: ['keep'],
  });

type Directory = z.output<typeof schema>;

function clears({ exclusive, absent }: Directory): boolean {
  return exclusive && !absent;
}

/** What the probe reads of a directory, or of what is in its place. */
type DirectoryState = {
  readonly kind: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
  readonly entries?: string;
  /** Of an exclusive one what it holds and nobody declares, each in a line. */
  readonly undeclared?: string;
};

function statesOf(
  batch: readonly Directory[],
  found: ReadonlyMap<string, Stat>,
): readonly (DirectoryState | null)[] {
  return batch.map((directory) => {
    const stat = found.get(directory.path);
    if (stat === undefined) return null;
    return { kind: stat.kind, ...ownersOf(stat, directory), mode: stat.mode, ...entries(stat) };
  });
}

/** What exclusive ones hold and nobody declares. */
function probeBelow(batch: readonly Directory[], host: DeclaredPaths): Probe | undefined {
  const cleared = batch.filter(clears).map((directory) => directory.path);
  if (cleared.length === 0) return undefined;
  return {
    script: listBelow(cleared),
    parse: (output) => {
      const below = entriesIn(output);
      return batch.map((directory): Actual => {
        const { path: at, keep } = directory;
        if (!clears(directory)) return {};
        if (below === undefined)
          return new Unreadable(`${at} holds too much to be compared: remove what does not belong there`);
        return { undeclared: undeclaredIn(at, keep, below, host) };
      });
    },
  };
}

function makeOrAdjust(directory: Directory): Script {
  const { path: at } = directory;
  const name = basename(at);
  return sh`${removal}
${plainFunction}
${enter(dirname(at), { make: true })}
if [ -L ./${name} ] || [ ! -d ./${name} ]; then rm -f ./${name} || hw_stuck ./${name}; mkdir ./${name}; fi
hw_enter "$PWD/"${name}
${makePlain(directory)}`;
}

/** The names, relative to the directory, that a change removes. */
function removedNames({ attributes }: Pick<Difference, 'attributes'>): readonly Buffer[] {
  const from = attributes.find(({ name }) => name === 'undeclared')?.from;
  return typeof from === 'string' ? namesOf(from) : [];
}

function stepOf({ id, desired, attributes }: Change<Directory>): Step {
  const { path: at, absent } = desired;
  if (absent) return { resources: [id], title: `remove ${at}`, script: remove(at, true) };
  const names = removedNames({ attributes });
  const isMore = attributes.some(({ name }) => name !== 'undeclared');
  if (names.length === 0) return { resources: [id], title: `make ${at}`, script: makeOrAdjust(desired) };
  return {
    resources: [id],
    title: `remove what nobody declares in ${at}`,
    script: lines([...(isMore ? [makeOrAdjust(desired)] : []), removeNamed(at)]),
    stdin: Buffer.concat(names.flatMap((name) => [name, Buffer.of(0)])),
  };
}

export const directoryType = defineResource({
  name: 'directory',
  summary: 'A directory with its owner and mode; its content stays unchanged, unless it is `exclusive`',
  schema,
  key: (directory) => directory.path,
  want: (directory) => {
    if (directory.absent) return null;
    const { owner, group, mode: bits } = directory;
    const undeclared = clears(directory) ? nothing : undefined;
    return { kind: 'directory', owner, group, mode: bits, undeclared };
  },
  probe: (batch, host): Probe<DirectoryState> => {
    const paths = (absent: boolean): readonly string[] =>
      batch.filter((directory) => directory.absent === absent).map((directory) => directory.path);
    const also = probeBelow(batch, host);
    return {
      ...statProbe(
        [
          { paths: paths(false), hash: false, weigh: false },
          { paths: paths(true), hash: false, weigh: true },
        ],
        (found) => statesOf(batch, found),
      ),
      ...(also === undefined ? {} : { also }),
    };
  },
  apply: each(stepOf),
  comparison: { computed: ['entries'], implied: ['kind', 'undeclared'] },
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
    modeIsAll: (directory) => [directory.path],
    clears,
    removes: (change) =>
      removedNames(change).map((name) => Buffer.concat([Buffer.from(`${change.desired.path}/`), name])),
    removesFolder: (directory) => directory.absent,
  },
});

/**
 * A directory: `directory('/srv/app', { owner: 'app', mode: '0750' })`, or one that holds nothing but what resources
 * declare: `directory('/etc/nginx/conf.d', { exclusive: true, keep: ['provider-*.conf'] })`.
 */
export function directory(
  at: string,
  attributes: Omit<z.input<typeof schema>, 'path'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(directoryType, { path: at, ...attributes }, options);
}
