import { lines, sh, type Script } from '../../transport/shell.ts';

/**
 * Where others than root can write, a name may lead elsewhere a moment later. So root goes into a directory
 * first and works by relative names from there: whatever is renamed meanwhile, the directory stays the same.
 *
 * `hw_others` prints something where others than root can write; with an ACL the bits of the group are the most
 * that it gives to anybody, whatever the group.
 *
 * `hw_enter DIRECTORY` gets there without following a link that others could have planted; with `make` as a
 * second word it makes what is missing. `cd -P` leaves in `$PWD` where one really is; only where that is not
 * what was asked for it goes name by name. `hw_enter_of FILE` goes to the directory of the file that is meant, through
 * links of root's, and leaves its name there in `$hw_file`.
 */
export const enterFunctions = sh`hw_others() {
  find . -maxdepth 0 '(' ! -uid 0 -o -perm -002 -o -perm -020 ! -gid 0 ')'
  find . -maxdepth 0 -perm -020 -exec ls -ld {} + | grep '^.\{10\}+'
}
hw_refuse() {
  printf '%s: a link where others than root can write is not followed\n' "$1" >&2
  exit 1
}
hw_link() {
  hw_links=$((\${hw_links:-0} + 1))
  if [ "$hw_links" -gt 40 ] || [ -n "$(hw_others)" ]; then hw_refuse "\${PWD%/}/$1"; fi
}
hw_enter() {
  if cd -P -- "$1" 2>/dev/null && [ "$PWD" = "$1" ]; then return; fi
  hw_left=$1/
  cd /
  while [ -n "$hw_left" ]; do
    hw_name=\${hw_left%%/*}
    hw_left=\${hw_left#*/}
    case $hw_name in
      '' | .) continue ;;
      ..) cd -P ..; continue ;;
    esac
    if [ -L "./$hw_name" ]; then
      hw_link "$hw_name"
      hw_left=$(readlink "./$hw_name")/$hw_left
      case $hw_left in /*) cd / ;; esac
    else
      [ -e "./$hw_name" ] || [ $# -eq 1 ] || mkdir "./$hw_name"
      hw_next=\${PWD%/}/$hw_name
      cd -P -- "./$hw_name"
      [ "$PWD" = "$hw_next" ] || hw_refuse "$hw_next"
    fi
  done
}
hw_enter_of() {
  hw_file=\${1##*/}
  hw_enter "\${1%/*}/"
  while [ -L "./$hw_file" ]; do
    hw_link "$hw_file"
    hw_left=$(readlink "./$hw_file")
    case $hw_left in /*) ;; *) hw_left=\${PWD%/}/$hw_left ;; esac
    hw_file=\${hw_left##*/}
    hw_enter "\${hw_left%/*}/"
  done
}`;

/** Goes to a directory, never by a link that others than root could have planted; makes it with `make`. */
export function enter(directory: string, options: { readonly make?: true } = {}): Script {
  return lines([enterFunctions, sh`hw_enter ${directory} ${options.make === true ? ['make'] : []}`]);
}

/** Goes to the directory of a file like `enter`, and leaves the name that the file has there in `$hw_file`. */
export function enterOf(file: string): Script {
  return lines([enterFunctions, sh`hw_enter_of ${file}`]);
}
