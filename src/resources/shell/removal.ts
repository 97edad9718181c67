import { basename, dirname } from 'node:path/posix';
import { sh, type Script } from '../../transport/shell.ts';
import { enter } from './enter.ts';
import { weigh } from './weigh.ts';

/**
 * How root removes what is in the way. Paths are absolute, or relative with a `/` in them.
 *
 * `hw_mounts` prints every mount at or below a path, as mountinfo writes it: `rm --one-file-system` alone would
 * remove all that stands beside a mount, and a mount of the same file system with the rest.
 * `hw_remove` removes a path with everything in it. `hw_yield` has a folder give way to something else, where it is
 * empty, or with `force` as a second word. `hw_stuck` ends the script, and says why a path could not be changed.
 */
export const removal = sh`${weigh}
hw_where() (
  if [ "$1" != . ]; then cd -P -- "\${1%/*}/"; fi
  case $1 in .) printf %s "$PWD" ;; *) printf %s "\${PWD%/}/\${1##*/}" ;; esac
)
hw_mounts() {
  HW_AT="$(hw_where "$1"; echo /)" awk 'BEGIN {
    at = ENVIRON["HW_AT"]
    sub(/\/$/, "", at)
    gsub(/\\/, "\\134", at); gsub(/ /, "\\040", at); gsub(/\t/, "\\011", at); gsub(/\n/, "\\012", at)
  }
  $5 == at || index($5, at "/") == 1 { print $5 }' /proc/self/mountinfo
}
hw_fixed() {
  printf '%s cannot be changed while it is immutable or append-only: see lsattr and chattr\n' "$(hw_where "$1")" >&2
}
hw_stuck() {
  for hw_left in "$@"; do
    if [ -n "$(hw_mounts "$hw_left")" ]; then
      printf '%s cannot be changed while something is mounted there: %s\n' "$(hw_where "$hw_left")" "$(hw_mounts "$hw_left" | tr '\n' ' ')" >&2
    fi
    case $(lsattr -d "$hw_left" 2>/dev/null | cut -d ' ' -f 1) in
      *[ia]*) hw_fixed "$hw_left" ;;
    esac
  done
  exit 1
}
hw_held() {
  find "$1" -xdev -mindepth 1 -exec lsattr -d {} + 2>/dev/null | grep '^[^ ]*[ia]' | head -n 3 |
    while read -r _ hw_inside; do hw_fixed "$hw_inside"; done
  false
}
hw_remove() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  hw_mounted=$(hw_mounts "$1")
  [ -z "$hw_mounted" ] || hw_stuck "$1"
  rm -rf --one-file-system "$1" || hw_held "$1" || hw_stuck "\${1%/*}/." "$1"
}
hw_yield() {
  if [ ! -d "$1" ] || [ -L "$1" ]; then return 0; fi
  if [ "\${2:-}" = force ]; then hw_remove "$1"; return; fi
  if rmdir "$1" 2>/dev/null; then return; fi
  printf '%s is a folder that is not empty (entries and bytes: %s), and is not removed\n' "$(hw_where "$1")" "$(hw_weigh "$1")" >&2
  hw_stuck "$1"
}`;

/** The second word of `hw_yield`. */
export function forceWord(force: boolean): readonly string[] {
  return force ? ['force'] : [];
}

/** Removes a path where it is there: a folder with everything in it where `folder` says so, else an empty one. */
export function remove(path: string, folder: boolean): Script {
  const name = `./${basename(path)}`;
  return sh`if [ -d ${dirname(path)} ]; then
${removal}
${enter(dirname(path))}
hw_yield ${name} ${forceWord(folder)}
hw_remove ${name}
fi`;
}
