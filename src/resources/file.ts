import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { isSecret, Secret } from '../secrets/secret.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { argv, secret } from './attribute.ts';
import { aside, enter, remove } from './enter.ts';
import { foreseeOwnedPath, mode, ownedPathAfter, path } from './path.ts';
import {
  declare,
  each,
  type Attribute,
  type Change,
  type Resource,
  type ResourceOptions,
  type ResourceType,
  type State,
  type Step,
} from './resource.ts';
import { parseStat, statProbe, type Stat } from './stat.ts';

const bytesOf = z.instanceof(Uint8Array).meta({ title: 'bytes' });
const content = z.union([z.string(), bytesOf, secret('expected a Secret')]);

const schema = z.strictObject({
  path,
  content: content
    .optional()
    .describe(
      'Text, bytes, or a Secret whose content is never shown. Left out: whatever is there, empty when new',
    ),
  owner: z.string().default('root'),
  group: z.string().default('root'),
  mode: mode.prefault('0644'),
  validate: argv
    .optional()
    .describe('A command that gets the path of the candidate as its last word and fails when it is no good'),
  absent: z.boolean().default(false),
});

type File = z.output<typeof schema>;

function bytes(file: File): Uint8Array {
  if (file.content === undefined) return new Uint8Array();
  if (isSecret(file.content)) return Buffer.from(file.content.reveal());
  return typeof file.content === 'string' ? Buffer.from(file.content) : file.content;
}

/** The digest of a secret content is as secret as itself: a short password can be guessed from it. */
function digest(file: File, sha256: string): Attribute {
  return isSecret(file.content) ? new Secret(sha256) : `sha256:${sha256.slice(0, 16)}`;
}

function state(stat: Stat, file: File): State {
  const common = { kind: stat.kind, owner: stat.owner, group: stat.group };
  if (stat.kind !== 'file') return common;
  return { ...common, mode: stat.mode, content: digest(file, stat.sha256 ?? '') };
}

/** A new file beside the old one, then a rename: nobody ever reads half of it, and no link is followed. */
function write(file: File): Script {
  const name = basename(file.path);
  // Its check may run as somebody else.
  const validate = file.validate === undefined ? sh`` : sh`chmod 0711 .; ${file.validate} "$PWD/"${name} >&2`;
  return sh`${aside(name)}
cat >./${name}
chown ${`${file.owner}:${file.group}`} ./${name}
chmod ${file.mode} ./${name}
${validate}
if [ -d ../${name} ] && [ ! -L ../${name} ]; then rm -rf ../${name}; fi
mv -fT ./${name} ../${name}`;
}

/** Of a file whose name others can give away a second name is made first, which only root can. */
function setOwnerAndMode(file: File): Script {
  const name = basename(file.path);
  return sh`if [ -n "$(hw_others)" ]; then
${aside(name)}
ln -P ../${name} ./${name}
fi
[ ! -L ./${name} ]
chown ${`${file.owner}:${file.group}`} ./${name}
chmod ${file.mode} ./${name}`;
}

/** Where the content is left out, what a package has brought since the plan was made is left alone. */
function writeWhereMissing(file: File): Script {
  const name = basename(file.path);
  return sh`if [ -f ./${name} ] && [ ! -L ./${name} ]; then
${setOwnerAndMode(file)}
else
${write(file)}
fi`;
}

function step(change: Change<File>): Step {
  const file = change.desired;
  const resources = [change.id];
  if (file.absent) {
    return { resources, title: `remove ${file.path}`, script: remove(file.path) };
  }
  const keepsContent =
    change.actual?.['kind'] === 'file' &&
    !change.attributes.some((attribute) => attribute.name === 'content');
  if (keepsContent) {
    const script = lines([enter(dirname(file.path)), setOwnerAndMode(file)]);
    return { resources, title: `set mode and owner of ${file.path}`, script };
  }
  const making = file.content === undefined ? writeWhereMissing(file) : write(file);
  const script = lines([enter(dirname(file.path)), making]);
  return { resources, title: `write ${file.path}`, script, stdin: bytes(file) };
}

export const fileType: ResourceType<File> = {
  name: 'file',
  staged: true,
  summary: 'A regular file with its content, owner and mode',
  schema,
  key: (file) => file.path,
  want: (file) => {
    if (file.absent) return null;
    const common = { kind: 'file', owner: file.owner, group: file.group, mode: file.mode };
    if (file.content === undefined) return common;
    return { ...common, content: digest(file, createHash('sha256').update(bytes(file)).digest('hex')) };
  },
  probe: (batch) =>
    statProbe(
      batch.map((file) => file.path),
      { hash: true },
    ),
  parse: (output, batch) => {
    const found = parseStat(output);
    return batch.map((file) => {
      const stat = found.get(file.path);
      return stat === undefined ? null : state(stat, file);
    });
  },
  apply: each(step),
  after: ownedPathAfter,
  foresee: foreseeOwnedPath,
  path: (file) => file.path,
  text: (file) => ({ path: file.path, text: typeof file.content === 'string' ? file.content : null }),
};

/** A regular file: `file('/etc/motd', { content: 'hello\n', mode: '0644' })`. */
export function file(
  at: string,
  attributes: Omit<z.input<typeof schema>, 'path'>,
  options?: ResourceOptions,
): Resource {
  return declare(fileType, { path: at, ...attributes }, options);
}
