import { lines, sh, type Script } from '../transport/shell.ts';
import type { DeclaredPaths } from './resource.ts';
import { nothing } from './undeclared.ts';

/** A group, of which members go that nobody declares. */
interface Group {
  readonly name: string;
  /** Accounts that stay. */
  readonly keep: readonly string[];
}

/**
 * Prints who is in which group: each group with its number and members behind `g:`, the group of each account behind
 * `p:`, of some groups who may add members, and whether a password lets in anybody, behind `s:`.
 */
export function printMembers(groups: readonly string[]): Script {
  return sh`if [ -e /etc/gshadow ]; then set -- kind=s /etc/gshadow; else set --; fi
awk -F: -v names=${` ${groups.join(' ')} `} '
kind == "g" { print "g:" $1 ":" $3 ":" $4 }
kind == "p" { print "p:" $1 ":" $4 }
kind == "s" && index(names, " " $1 " ") { print "s:" $1 ":" ($2 ~ /^[^!*]/ ? "password" : "") ":" $3 }' kind=g /etc/group kind=p /etc/passwd "$@"`;
}

type Fields = readonly string[];

/** What `printMembers` has printed. */
export interface Members {
  readonly groups: readonly Fields[];
  readonly accounts: readonly Fields[];
  readonly guards: readonly Fields[];
}

/** RangeError on output of anything else. */
export function parseMembers(text: string): Members {
  const entries = text
    .split('\n')
    .filter(Boolean)
    .map((entry) => entry.split(':'));
  const of = (kind: string, count: number): readonly Fields[] =>
    entries
      .filter(([letter]) => letter === kind)
      .map(([, ...fields]) => {
        if (fields.length !== count) throw new RangeError(`unexpected entry "${fields[0] ?? ''}"`);
        return fields;
      });
  const [groups, accounts, guards] = [of('g', 3), of('p', 2), of('s', 3)];
  if (groups.length === 0) throw new RangeError('the answer about the members of groups is cut off');
  return { groups, accounts, guards };
}

function listed(names: string | undefined): readonly string[] {
  return (names ?? '').split(',').filter(Boolean);
}

/**
 * Who is in a group undeclared, in words: `mallory, eve (its primary group), carol (in ops of the same number)`.
 * The account that has the name of the group is in it by right.
 */
export function undeclaredMembers(
  { name, keep }: Group,
  { groups, accounts, guards }: Members,
  host: DeclaredPaths,
): string {
  const number = groups.find(([group]) => group === name)?.[1];
  const isStranger = (account: string): boolean =>
    account !== name && !keep.includes(account) && !host.hasMember(name, account);
  const inIt = groups.flatMap(([group = '', gid, members]) => {
    if (gid !== number) return [];
    const words = group === name ? '' : ` (in ${group} of the same number)`;
    return listed(members)
      .filter((account) => isStranger(account) && !(group !== name && host.hasMember(group, account)))
      .map((account) => `${account}${words}`);
  });
  const primary = accounts.flatMap(([account = '', gid]) =>
    gid === number && isStranger(account) ? [`${account} (its primary group)`] : [],
  );
  const [, password, administrators] = guards.find(([group]) => group === name) ?? [];
  const guarding = [
    ...listed(administrators).flatMap((account) =>
      isStranger(account) ? [`${account} (its administrator)`] : [],
    ),
    ...(password === 'password' ? ['everybody with its password'] : []),
  ];
  return [...new Set([...inIt, ...primary].toSorted()), ...guarding].join(', ') || nothing;
}

/** Each takes an account out of a group in one way; who has gone meanwhile is in none. */
const outFunctions = sh`hw_out() {
  if getent group "$2" | cut -d: -f4 | tr , '\n' | grep -qxF -e "$1"; then gpasswd -d "$1" "$2"; fi
}
hw_out_as_primary() {
  if ! getent passwd "$1" >/dev/null; then return; fi
  if getent group "$1" >/dev/null; then usermod --gid "$1" "$1"; else usermod --gid nogroup "$1"; fi
}
hw_out_as_administrator() {
  hw_left=$(awk -F: -v name="$2" '$1 == name { print $3 }' /etc/gshadow | tr , '\n' | grep -vxF -e "$1" | paste -sd,)
  gpasswd -A "$hw_left" "$2"
}`;

/** Whether an account is among whom `undeclaredMembers` has named. */
export function isNamed(account: string, named: string): boolean {
  return named.split(', ').some((entry) => entry.split(' ', 1)[0] === account);
}

/** Takes whom `undeclaredMembers` has named out of a group. */
export function removeMembers(name: string, named: string): Script {
  const steps = named.split(', ').map((entry) => {
    const [, account = '', words = ''] = /^(\S+)(?: \((.*)\))?/.exec(entry) ?? [];
    if (entry === 'everybody with its password') return sh`gpasswd -r ${name}`;
    if (words === 'its administrator') return sh`hw_out_as_administrator ${account} ${name}`;
    if (words === 'its primary group') return sh`hw_out_as_primary ${account}`;
    return sh`hw_out ${account} ${/^in (\S+)/.exec(words)?.[1] ?? name}`;
  });
  return lines([outFunctions, ...steps]);
}
