import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { tarball } from '../release/tarball.ts';
import { isSecret, Secret } from '../secrets/secret.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { argv, ownerName, ownership, secretValue } from './attribute.ts';
import { endedFunction, runOrSay } from './shell/ended.ts';
import { asideFunctions } from './shell/aside.ts';
import { enter } from './shell/enter.ts';
import { forceWord, remove } from './shell/removal.ts';
import {
  folderRequired,
  force,
  foreseeOwners,
  mode,
  ownersAfter,
  ownersRequired,
  path,
  providesUnit,
} from './path.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import type { Attribute, Change } from './state.ts';
import type { Step } from './step.ts';
import { contentOf, entries, largestOf, ownersOf, statProbe, type Stat } from './shell/stat.ts';

// `z.instanceof` would leave out the bytes of a Buffer, by its type alone.
const bytesOf = z
  .custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes')
  .meta({ title: 'bytes' });
const content = z.union([z.string(), bytesOf, secretValue('expected a Secret')]);

const schema = z.strictObject({
  path,
  content: content
    .optional()
    .describe('Text, bytes, or a Secret, which is never shown. Default: unchanged; a new file is empty'),
  owner: ownerName.prefault('root'),
  group: ownerName.prefault('root'),
  mode: mode.optional().describe('Default: `0644`, or `0600` if the content is a Secret'),
  validate: argv
    .optional()
    .describe(
      'A check of the new file: a command that gets its path as the last argument and fails if the file is invalid',
    ),
  absent: z.boolean().default(false),
  force,
});

type File = z.output<typeof schema>;

/** A secret is for others only where the declaration says so outright. */
function modeOf(file: File): string {
  return file.mode ?? (isSecret(file.content) ? '0600' : '0644');
}

function bytes(file: File): Uint8Array {
  if (file.content === undefined) return new Uint8Array();
  if (isSecret(file.content)) return Buffer.from(file.content.reveal());
  return typeof file.content === 'string' ? Buffer.from(file.content) : file.content;
}

/** The digest of a secret content is as secret as itself: a short password can be guessed from it. */
function shown(file: File, stat: Pick<Stat, 'sha256' | 'size'>): Attribute {
  return isSecret(file.content) ? new Secret(stat.sha256 ?? contentOf(stat)) : contentOf(stat);
}

function wantedContent(file: File): Attribute | undefined {
  if (file.content === undefined) return undefined;
  const content = bytes(file);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return shown(file, { sha256, size: content.length });
}

type FileState = {
  readonly kind: Stat['kind'];
  readonly owner: string;
  readonly group: string;
  readonly mode?: string;
  readonly content?: Attribute;
  readonly entries?: string;
};

function state(stat: Stat, file: File): FileState {
  const common = { kind: stat.kind, ...ownersOf(stat, file), ...entries(stat) };
  if (stat.kind !== 'file') return common;
  return { ...common, mode: stat.mode, content: shown(file, stat) };
}

/** `./NAME …` */
function names(files: readonly File[], folder: '.' | '..'): readonly string[] {
  return files.map((file) => `${folder}/${basename(file.path)}`);
}

/**
 * New files beside the old ones, then renames: nobody ever reads half of one, and no link is followed. All of
 * one directory, owner, group and mode are made at once, from the archive that is the standard input: `hw_replace`
 * would take some processes for each, and has no check before the rename.
 */
function write(first: File, others: readonly File[] = []): Script {
  const files = [first, ...others];
  const made = names(files, '.');
  const validate = files.flatMap((file) =>
    // Its check may run as somebody else.
    file.validate === undefined
      ? []
      : [sh`chmod 0711 .`, runOrSay(file.validate, sh`"$PWD/"${basename(file.path)}`)],
  );
  return sh`${validate.length === 0 ? sh`` : endedFunction}
hw_aside
tar -xzmf - --no-same-owner
chown ${ownership(first)} ${made}
chmod ${modeOf(first)} ${made}
${lines(validate)}
for name in ${names(files, '..')}; do hw_yield "$name" ${forceWord(first.force)}; done
mv -ft .. ${made} || hw_stuck ${names(files, '..')}`;
}

function archive(files: readonly File[]): Uint8Array {
  return tarball(
    files.map((file) => ({
      kind: 'file',
      path: basename(file.path),
      content: bytes(file),
      executable: false,
    })),
  );
}

/** Of a file whose name others can give away a second name is made first, which only root can. */
function setOwnerAndMode(file: File): Script {
  const name = basename(file.path);
  return sh`if [ -n "$(hw_others)" ]; then
hw_aside
ln -P ../${name} ./${name} || hw_stuck ../${name}
fi
[ ! -L ./${name} ]
chown ${ownership(file)} ./${name} || hw_stuck ./${name}
chmod ${modeOf(file)} ./${name}`;
}

/** Where the content is left out, what a package has brought since the plan was made is left alone. */
function writeWhereMissing(file: File): Script {
  const name = basename(file.path);
  return sh`case $(ls -ld ./${name} 2>/dev/null || :) in
-?????????+*)
  hw_aside
  dd if=../${name} of=./${name} iflag=nofollow,fullblock bs=64K status=none
  chown ${ownership(file)} ./${name}
  chmod ${modeOf(file)} ./${name}
  sync ./${name}
  hw_place ./${name} ../${name}
  ;;
-*)
${setOwnerAndMode(file)}
  ;;
*)
${write(file)}
  ;;
esac`;
}

type FileChange = Change<File>;

/** A file with rights beyond its mode is made anew, without them. */
const anew = new Set(['content', 'acl', 'capabilities']);

function keepsContent({ actual, attributes }: FileChange): boolean {
  return actual?.['kind'] === 'file' && !attributes.some(({ name }) => anew.has(name));
}

/** What an error of one must not keep from being written is not written together with it. */
function together({ id, desired }: FileChange): string {
  const { path: at, owner, group, content: given, validate, force: isForced } = desired;
  const alone = validate !== undefined || given === undefined;
  return JSON.stringify(alone ? [id] : [dirname(at), owner, group, modeOf(desired), isForced]);
}

/** Names of files that one command takes; what a host can take is many times as much. */
const most = 500;

function stepsOf(changes: readonly FileChange[]): readonly Step[] {
  const removals = changes.filter(({ desired }) => desired.absent);
  const others = changes.filter((change) => !change.desired.absent && keepsContent(change));
  const writes = changes.filter((change) => !change.desired.absent && !keepsContent(change));
  return [
    ...removals.map(({ id, desired }) => ({
      resources: [id],
      title: `remove ${desired.path}`,
      script: remove(desired.path, desired.force),
    })),
    ...others.map(({ id, desired }) => ({
      resources: [id],
      title: `set mode and owner of ${desired.path}`,
      script: lines([enter(dirname(desired.path)), asideFunctions, setOwnerAndMode(desired)]),
    })),
    ...groups(writes).flatMap(writeSteps),
  ];
}

function groups(writes: readonly FileChange[]): readonly (readonly FileChange[])[] {
  const byKey = new Map<string, FileChange[]>();
  for (const change of writes) {
    const group = byKey.get(together(change));
    if (group === undefined) byKey.set(together(change), [change]);
    else group.push(change);
  }
  return [...byKey.values()];
}

function writeSteps(group: readonly FileChange[]): readonly Step[] {
  const changes = group.slice(0, most);
  const [first, ...others] = changes.map(({ desired }) => desired);
  if (first === undefined) return [];
  const making = first.content === undefined ? writeWhereMissing(first) : write(first, others);
  const step: Step = {
    resources: changes.map(({ id }) => id),
    title: `write ${changes.map(({ desired }) => desired.path).join(', ')}`,
    script: lines([enter(dirname(first.path)), asideFunctions, making]),
    stdin: archive([first, ...others]),
    isDivisible: true,
  };
  return [step, ...writeSteps(group.slice(most))];
}

export const fileType = defineResource({
  name: 'file',
  summary: 'A regular file with its content, owner and mode',
  schema,
  key: (file) => file.path,
  want: (file) => {
    if (file.absent) return null;
    const { owner, group } = file;
    return { kind: 'file', owner, group, mode: modeOf(file), content: wantedContent(file) };
  },
  probe: (batch) =>
    statProbe(
      { paths: batch.map((file) => file.path), hash: largestOf(batch.map(bytes)), weigh: true },
      (found) =>
        batch.map((file) => {
          const stat = found.get(file.path);
          return stat === undefined ? null : state(stat, file);
        }),
    ),
  apply: stepsOf,
  comparison: { computed: ['entries'], implied: ['kind'] },
  order: {
    after: ownersAfter,
    requires: (file) => [...folderRequired(file.path), ...ownersRequired(file)],
    provides: (file, { kind, name }) => kind === 'unit' && providesUnit(file.path, name),
    foresee: foreseeOwners,
  },
  files: {
    path: (file) => file.path,
    staged: 'path',
    modeIsAll: (file) => [file.path],
    removesFolder: (file) => file.force,
    text: (file) => (typeof file.content === 'string' ? file.content : null),
  },
});

/** A regular file: `file('/etc/motd', { content: 'hello\n', mode: '0644' })`. */
export function file(
  at: string,
  attributes: Omit<z.input<typeof schema>, 'path'>,
  options?: ResourceOptions,
): Resource {
  return declare(fileType, { path: at, ...attributes }, options);
}
