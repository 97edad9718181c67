import { z } from 'zod';
import { sh, type Script } from '../transport/shell.ts';
import { accountName } from './attribute.ts';
import { editKeys, fingerprint, keyFiles, keysIn, mostBytes } from './authorized-key.ts';
import { restoring } from './capabilities/access.ts';
import {
  declare,
  defineResource,
  type DeclaredPaths,
  type Resource,
  type ResourceOptions,
} from './resource.ts';
import { tooLarge } from './shell/stat.ts';
import type { Actual } from './state.ts';
import { nothing } from './undeclared.ts';

const schema = z.strictObject({ user: accountName });

type AuthorizedKeys = z.output<typeof schema>;

/** Seconds for all files: a user may turn one into a pipe after `find` has looked at it. */
const readTimeout = 60;

/** Prints `home USER:PATH`, and behind the path of a file of keys each line that may be a key, or its size. */
function probeScript(users: readonly string[]): Script {
  return sh`names=${` ${users.join(' ')} `}
while IFS=: read -r name _ _ _ _ home _; do
  case $names in *" $name "*) ;; *) continue ;; esac
  printf 'home %s:%s\n' "$name" "$home"
  for file in ${keyFiles}; do set -- "$@" "$home/.ssh/$file"; done
done </etc/passwd
[ $# -eq 0 ] || find -H "$@" -maxdepth 0 -type f '(' -size ${`+${mostBytes / 1024}k`} -printf 'large %s %p\n' -o -exec timeout ${readTimeout} grep -aHs AAAA {} + ')' 2>/dev/null || :`;
}

interface Key {
  readonly blob: string;
  readonly words: string;
}

/** The keys in a line of a file of keys, of which a comment has none. */
function keysOf(line: string, file: string): readonly Key[] {
  if (/^\s*#/.test(line)) return [];
  const found = line.matchAll(/(?:^|\s)(?:ssh|ecdsa|sk)-[\w@.-]+\s+(AAAA[A-Za-z0-9+/]+={0,2})(?=\s|$)(.*)/g);
  return [...found].map(([, blob = '', comment = '']) => {
    const place = file === keyFiles[0] ? '' : ` (in ${file})`;
    return { blob, words: `${`${fingerprint(blob)} ${comment.trim()}`.trim()}${place}` };
  });
}

/** `blobs`: the undeclared keys in base64, separated by spaces. */
type Found = { readonly undeclared: string; readonly blobs: string };

function stateOf({ user }: AuthorizedKeys, text: string, host: DeclaredPaths): Actual<Found> {
  const home = new RegExp(String.raw`^home ${user.replaceAll('.', '[.]')}:(.*)$`, 'm').exec(text)?.[1];
  if (home === undefined) return { undeclared: nothing, blobs: '' };
  const paths = keysIn(home);
  const large = [...text.matchAll(/^large (\d+) (.+)$/gm)].find(([, , path = '']) => paths.includes(path));
  if (large !== undefined) return tooLarge(large[2] ?? '', large[1] ?? '', mostBytes);
  const keys = paths.flatMap((path, index) => {
    if (host.declares(`file:${path}`)) return [];
    const lines = text.split('\n').filter((line) => line.startsWith(`${path}:`));
    return lines.flatMap((line) => keysOf(line.slice(path.length + 1), keyFiles[index] ?? path));
  });
  const strange = keys.filter(({ blob }) => !host.declares(`authorized_key:${user} ${fingerprint(blob)}`));
  return {
    undeclared: [...new Set(strange.map(({ words }) => words))].join(', ') || nothing,
    blobs: [...new Set(strange.map(({ blob }) => blob))].join(' '),
  };
}

export const authorizedKeysType = defineResource({
  name: 'authorized_keys',
  summary:
    'No other public keys may log in as a user than those that an `authorized_key` declares: others are removed from authorized_keys and authorized_keys2. A file of keys that a `file` declares is left alone',
  schema,
  key: ({ user }) => user,
  want: (): { readonly undeclared: string } => ({ undeclared: nothing }),
  probe: (batch, host) => ({
    script: probeScript(batch.map(({ user }) => user)),
    parse: (output) => {
      const text = output.toString('utf8');
      return batch.map((keys) => stateOf(keys, text, host));
    },
  }),
  apply: (changes) =>
    changes.map(({ id, desired: { user }, actual }) => {
      const blobs = actual !== null && 'blobs' in actual ? actual.blobs.split(' ').filter(Boolean) : [];
      return { resources: [id], title: `remove other keys of ${user}`, script: editKeys(user, blobs, '') };
    }),
  comparison: { computed: ['blobs'], implied: ['undeclared'] },
  order: { after: ({ user }) => [`user:${user}`], provides: () => false },
  access: {
    guard: ({ desired: { user } }, login) =>
      user !== login?.user || login.home === undefined ? undefined : restoring(keysIn(login.home)),
  },
});

/** No keys of a user but those that are declared: `authorizedKeys('deploy')`. */
export function authorizedKeys(user: string, options?: ResourceOptions): Resource {
  return declare(authorizedKeysType, { user }, options);
}
