import { lines, sh, type Script } from '../transport/shell.ts';
import { keyFiles, keysIn } from './authorized-key.ts';
import { enterFunctions } from './shell/enter.ts';

/** A path as `find` has printed it. */
export interface FoundPath {
  readonly kind: string;
  readonly mode: string;
  readonly uid: string;
  readonly path: string;
}

export function parsePaths(text: string): readonly FoundPath[] {
  return [...text.matchAll(/^(\w) ([0-7]+) (\d+) (\/.*)$/gm)].map(
    ([, kind = '', mode = '', uid = '', path = '']) => ({ kind, mode, uid, path }),
  );
}

/** sshd takes no key where others than the user and root can write. */
export function homeState(home: string, uid: string, paths: readonly FoundPath[]): string {
  const own = paths.filter(({ path }) => [home, `${home}/.ssh`, ...keysIn(home)].includes(path));
  const directory = own.find(({ path }) => path === home);
  if (directory === undefined || directory.kind !== 'd') return 'missing';
  const wrong = own.flatMap(({ kind, mode, uid: owner, path }) => {
    if (kind === 'l') return [];
    if (owner !== uid && owner !== '0') return [`${path} belongs to ${owner}`];
    return (Number.parseInt(mode, 8) & 0o022) === 0
      ? []
      : [`${path} is writable for others (${mode.padStart(4, '0')})`];
  });
  return wrong.join(', ') || 'present';
}

/** Filled under another name and then renamed, as `hw_replace` does with a file: never is there a home of root, or half of one. */
const homeFunction = sh`hw_own() (
  hw_enter "$3"
  case $(stat -c %u .) in "$1" | 0) ;; *) chown "$1" . ;; esac
  chmod go-w .
  if [ ! -d ./.ssh ] || [ -L ./.ssh ]; then return; fi
  hw_enter "$3/.ssh"
  case $(stat -c %u .) in "$1" | 0) ;; *) chown "$1" . ;; esac
  chmod go-w .
  for file in ${keyFiles}; do
    if [ ! -f "./$file" ] || [ -L "./$file" ]; then continue; fi
    case $(stat -c %u "./$file") in "$1" | 0) ;; *) chown -h "$1" "./$file" ;; esac
    # As its owner: a link in its place leads nowhere that they may not change.
    setpriv --reuid="$(stat -c %u "./$file")" --regid="$2" --clear-groups chmod go-w "./$file"
  done
)
hw_home() {
  getent passwd "$1" >"$HW/entry"
  IFS=: read -r _ _ uid gid _ home _ <"$HW/entry"
  if [ -d "$home" ]; then hw_own "$uid" "$gid" "$home"; return; fi
  mkdir -p "$(dirname "$home")"
  t=$(mktemp -d "$(dirname "$home")/.hostwright.XXXXXX")
  trap 'rm -rf "$t"' EXIT
  if [ -d /etc/skel ]; then cp -a /etc/skel/. "$t"; fi
  chown -Rh "$uid:$gid" "$t"
  chmod 00700 "$t"
  mv -T "$t" "$home"
}`;

/** Makes the home directory of a user where it is missing, and takes it from others who can write to it. */
export function makeHome(name: string): Script {
  return lines([enterFunctions, homeFunction, sh`hw_home ${name}`]);
}
