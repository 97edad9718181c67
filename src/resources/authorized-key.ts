import { createHash } from 'node:crypto';
import { z } from 'zod';
import { lines, sh, type Script } from '../transport/shell.ts';
import { accountName, oneLine } from './attribute.ts';
import { weigh } from './shell/weigh.ts';
import { restoring } from './capabilities/access.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { each } from './step.ts';
import { entries, tooLarge } from './shell/stat.ts';

const schema = z.strictObject({
  user: accountName,
  key: z
    .string()
    .trim()
    .regex(
      /^(ssh-|ecdsa-|sk-)[\w@.-]+ AAAA[A-Za-z0-9+/]+={0,2}( [^\n\0]*)?$/,
      'expected a public key as in a .pub file, such as "ssh-ed25519 AAAA… anna@laptop"',
    )
    .describe('The line of a .pub file, with its comment'),
  options: oneLine
    .regex(/^((?!#)([^\s"]|"([^"\\]|\\.)*")+)?$/, 'expected options without space outside of double quotes')
    .default('')
    .describe('Options, see sshd(8): `restrict,from="10.0.0.0/8"`'),
  absent: z.boolean().default(false),
});

type AuthorizedKey = z.output<typeof schema>;

function publicKey({ key }: AuthorizedKey): { kind: string; blob: string; comment: string } {
  const [kind = '', blob = '', ...comment] = key.split(' ');
  return { kind, blob, comment: comment.join(' ').trim() };
}

/** Of a key in base64, as `ssh-keygen -l` prints it. */
export function fingerprint(blob: string): string {
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

/** Lines that hold a key in base64 and are no comment. It has nothing special for a basic expression. */
function pattern(blob: string): string {
  return String.raw`^[[:space:]]*[^#[:space:]].*[[:space:]]${blob}\([[:space:]]\|$\)`;
}

/** Bytes of a file of keys that are read: some thousand keys. */
export const mostBytes = 1024 * 1024;

/** Below ~/.ssh, as sshd reads them where nobody has set AuthorizedKeysFile; keys are added to the first. */
export const keyFiles = ['authorized_keys', 'authorized_keys2'] as const;
const [firstFile, ...otherFiles] = keyFiles;

const findFunction = sh`hw_find_keys() {
  IFS=: read -r _ _ _ _ _ home _ <<END || :
$(getent passwd "$1")
END
  for keys in ${keyFiles.map((name) => `/.ssh/${name}`)}; do
    keys=$home$keys
    if [ -n "$home" ] && [ -f "$keys" ]; then
      size=$(stat -Lc %s "$keys")
      if [ "$size" -gt ${mostBytes} ]; then printf 'large %s %s\n' "$size" "$keys"
      else grep -a -e "$2" "$keys" || [ $? -eq 1 ]; fi
    elif [ "$keys" = "$home/.ssh/"${firstFile} ] && [ -d "$keys" ]; then
      printf 'holds %s\n' "$(hw_weigh "$keys")"
    fi
  done
  echo
}`;

function parseKey(found: readonly string[], key: AuthorizedKey) {
  const [, size, path] = /^large (\d+) (.+)$/m.exec(found.join('\n')) ?? [];
  if (size !== undefined && path !== undefined) return tooLarge(path, size, mostBytes);
  const [, count, bytes] = /^holds (\d+) (\d+)$/.exec(found[0] ?? '') ?? [];
  const held = entries({ holds: { count: Number(count ?? 0), bytes: Number(bytes ?? 0) } });
  if (count !== undefined) return 'entries' in held && !key.absent ? held : null;
  if (found.length === 0) return null;
  const { kind, blob } = publicKey(key);
  const parts = found.map((entry) => {
    const [options = '', comment = ''] = entry.split(`${kind} ${blob}`);
    return { options: options.trim(), comment: comment.trim() };
  });
  // sshd takes every line of a key into account: a second one with weaker options counts.
  const all = (name: 'options' | 'comment') => [...new Set(parts.map((part) => part[name]))].join(' | ');
  return { options: all('options'), comment: all('comment') };
}

/** Edits the file as its user, who can have no folder of root's to make it in: a link could lead root anywhere. */
const editAsUser = sh`umask 077
mkdir -p "$1/.ssh"
cd "$1/.ssh"
t=''
trap 'rm -f "$t"' EXIT
hw_keys() {
  t=$(mktemp .hostwright.XXXXXX)
  if [ -f "$1" ]; then grep -av -e "$2" "$1" >"$t" || [ $? -eq 1 ]; fi
  if [ -n "$3" ]; then printf '%s\n' "$3" >>"$t"; fi
  if [ -d "$1" ] && [ ! -L "$1" ]; then rmdir "$1"; fi
  mv -fT "$t" "$1"
}
hw_keys ${firstFile} "$2" "$3"
for keys in ${otherFiles}; do
  if [ -f "$keys" ] && grep -aq -e "$2" "$keys"; then hw_keys "$keys" "$2" ''; fi
done`;

/** The paths of these in a home directory. */
export function keysIn(home: string): readonly string[] {
  return keyFiles.map((name) => `${home}/.ssh/${name}`);
}

/** Removes the lines of some keys in base64 from the files of a user, and adds `entry` where it is not empty. */
export function editKeys(user: string, blobs: readonly string[], entry: string): Script {
  if (blobs.length === 0) return sh`:`;
  const edits = blobs.map(
    (blob) =>
      sh`setpriv --reuid="$uid" --regid="$gid" --clear-groups sh -euc ${editAsUser.text} sh "$home" ${pattern(blob)} ${entry}`,
  );
  return lines([
    sh`if ! getent passwd ${user} >"$HW/entry"; then
  printf '%s\n' ${`there is no user ${user}`} >&2
  exit 1
fi
IFS=: read -r _ _ uid gid _ home _ <"$HW/entry"`,
    ...edits,
  ]);
}

export const authorizedKeyType = defineResource({
  name: 'authorized_key',
  summary:
    'A public key that may log in as a user; other keys of the user stay, unless there is an `authorized_keys` for the user',
  schema,
  key: (key) => `${key.user} ${fingerprint(publicKey(key).blob)}`,
  want: (key) => (key.absent ? null : { options: key.options, comment: publicKey(key).comment }),
  probe: (batch) => ({
    script: lines([
      weigh,
      findFunction,
      ...batch.map((key) => sh`hw_find_keys ${key.user} ${pattern(publicKey(key).blob)}`),
    ]),
    parse: (output) => {
      // One empty line ends the lines of each key.
      const rest = output.toString('utf8').split('\n');
      return batch.map((key) => {
        const end = rest.indexOf('');
        if (end < 0 || end === rest.length - 1) throw new RangeError(`no answer for ${key.user}`);
        const found = rest.splice(0, end + 1).slice(0, -1);
        return parseKey(found, key);
      });
    },
  }),
  apply: each(({ id, desired: key }) => {
    const { kind, blob, comment } = publicKey(key);
    const entry = [key.options, kind, blob, comment].filter((word) => word !== '').join(' ');
    const script = editKeys(key.user, [blob], key.absent ? '' : entry);
    return {
      resources: [id],
      title: `${key.absent ? 'remove a key of' : 'add a key for'} ${key.user}`,
      script,
    };
  }),
  comparison: { computed: ['entries'] },
  order: { after: (key) => [`user:${key.user}`], provides: () => false },
  // A home that is elsewhere is known on the host only.
  files: { readAt: ({ user }) => keysIn(user === 'root' ? '/root' : `/home/${user}`) },
  access: {
    // A key that is new takes nothing from anybody.
    guard: ({ action, desired }, login) =>
      action === 'create' || desired.user !== login?.user || login.home === undefined
        ? undefined
        : restoring(keysIn(login.home)),
  },
});

/** A public key of a user: `authorizedKey('deploy', 'ssh-ed25519 AAAA… anna@laptop')`. */
export function authorizedKey(
  user: string,
  key: string,
  attributes: Omit<z.input<typeof schema>, 'user' | 'key'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(authorizedKeyType, { user, key, ...attributes }, options);
}
