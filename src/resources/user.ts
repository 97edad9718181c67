import { z } from 'zod';
import { Secret } from '../secrets/secret.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { accountName, oneLine, secretValue } from './attribute.ts';
import { keyFiles } from './authorized-key.ts';
import { crontabOf, lingerOf, removeUser, ruleOf } from './former-user.ts';
import { path } from './path.ts';
import { enterFunctions } from './shell/enter.ts';
import { accountFiles, restoring } from './capabilities/access.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import type { Attribute, Change, ResourceId } from './state.ts';
import type { ApplyContext, Step } from './step.ts';

const field = path.refine((value) => !/[:\n]/.test(value), 'expected a path without ":"');

const schema = z.strictObject({
  name: accountName,
  uid: z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 2)
    .optional()
    .describe('Default: unchanged; a new user gets the next free UID'),
  group: accountName
    .optional()
    .describe('The primary group. Default: unchanged; a new user gets a group of the same name'),
  groups: z
    .array(accountName)
    .optional()
    .describe('All other groups of the user; it is removed from all groups not named. Default: unchanged'),
  comment: oneLine
    .refine((value) => !value.includes(':'), 'expected no ":"')
    .optional()
    .describe('The full name'),
  home: field.optional().describe('The home directory; files in the old one stay there. Default: unchanged'),
  createHome: z
    .boolean()
    .optional()
    .describe(
      'Creates a missing home directory from /etc/skel, and lets only the user (or root) write to it, to .ssh and to the keys. Default: true, or false with `system`',
    ),
  shell: field
    .optional()
    .describe('Default: unchanged; a new user gets /bin/bash, or /usr/sbin/nologin with `system`'),
  passwordHash: secretValue('expected a Secret with a hash of crypt(5)', (hash) =>
    /^\$[0-9a-z]+\$[!-9;-~]+$/.test(hash),
  )
    .optional()
    .describe('As `mkpasswd` prints it. Default: unchanged; a new user gets no password'),
  locked: z
    .boolean()
    .optional()
    .describe('Expires the account: no login, not even with a key. Default: unchanged'),
  sharesUid: z
    .array(accountName)
    .default([])
    .describe(
      'Other accounts that may have the same number. Where `uid` is declared, those not named are removed',
    ),
  system: z
    .boolean()
    .default(false)
    .describe('A new user gets a UID of the system range and no home directory'),
  absent: z
    .boolean()
    .default(false)
    .describe(
      'Removes the user: ends its processes, removes its keys, rules in sudoers, crontab and jobs of at. The home directory stays',
    ),
});

type User = z.output<typeof schema>;

type UserState = ReturnType<typeof parse>[number];
type UserChange = Change<User, NonNullable<UserState>>;

function createsHome(user: User): boolean {
  return user.createHome ?? !user.system;
}

function list(names: Iterable<string>): string {
  return [...new Set(names)].toSorted().join(',');
}

function want(user: User) {
  if (user.absent) return null;
  const { uid, group, groups, comment, home, shell, passwordHash, locked } = user;
  return {
    uid,
    group,
    groups: groups && list(groups),
    comment,
    home,
    homeDirectory: createsHome(user) ? 'present' : undefined,
    shell,
    passwordHash,
    locked,
    sharesUid: uid === undefined ? undefined : 'nothing',
  };
}

/**
 * Lines of passwd, shadow and group, each behind the letter of its kind; then paths and names of what lets a user in,
 * behind `-`. A password hash leaves the host only where one is declared. Of all accounts the number and the home are
 * printed, for others may have the same.
 */
function probeScript(batch: readonly User[]): Script {
  const names = batch.map((user) => user.name);
  const hashed = batch.filter((user) => user.passwordHash !== undefined).map((user) => user.name);
  const former = batch.filter((user) => user.absent).map((user) => user.name);
  const files = former.flatMap((name) => [crontabOf(name), lingerOf(name)]);
  const rules = former.flatMap((name) => ['-e', ruleOf(name)]);
  return sh`getent passwd ${names} >"$HW/passwd" || [ $? -eq 2 ]
getent group >"$HW/group"
{ getent shadow ${names} || [ $? -eq 2 ]; } | awk -F: -v hashed=${` ${hashed.join(' ')} `} '
kind == "s" { print "s:" $1 ":" (index(hashed, " " $1 " ") ? $2 : "") ":" $3 ":" $8; next }
kind == "a" { print "a:" $1 ":" $3 ":" $6; next }
{ print kind ":" $0 }' kind=p "$HW/passwd" kind=a /etc/passwd kind=s - kind=g "$HW/group"
set --
while IFS=: read -r _ _ _ _ _ home _; do
  set -- "$@" "$home" "$home/.ssh"
  for file in ${keyFiles}; do set -- "$@" "$home/.ssh/$file"; done
done <"$HW/passwd"
echo -
find -H "$@" ${files} -maxdepth 0 -printf '%y %m %U %p\n' 2>/dev/null || :
${rules.length === 0 ? sh`` : sh`grep -os ${rules} /etc/sudoers /etc/sudoers.d/* || :`}`;
}

/** What `chage -E 1` leaves in shadow(5); an expiry of another day is nobody's lock. */
function parseLocked(expiry: string, changed: string): Attribute {
  if (!/^-?\d*$/.test(expiry)) throw new RangeError(`unexpected expiry "${expiry}"`);
  const day = expiry === '' ? -1 : Number(expiry);
  if (day < 0) return changed === '0' ? 'until the password is changed' : false;
  return day <= 1 ? true : `expires ${new Date(day * 86_400_000).toISOString().slice(0, 10)}`;
}

/** A path as `find` has printed it. */
interface FoundPath {
  readonly kind: string;
  readonly mode: string;
  readonly uid: string;
  readonly path: string;
}

function parsePaths(text: string): readonly FoundPath[] {
  return [...text.matchAll(/^(\w) ([0-7]+) (\d+) (\/.*)$/gm)].map(
    ([, kind = '', mode = '', uid = '', path = '']) => ({ kind, mode, uid, path }),
  );
}

function keysIn(home: string): readonly string[] {
  return [`${home}/.ssh`, ...keyFiles.map((file) => `${home}/.ssh/${file}`)];
}

/** sshd takes no key where others than the user and root can write. */
function homeState(home: string, uid: string, paths: readonly FoundPath[]): string {
  const own = paths.filter(({ path }) => [home, ...keysIn(home)].includes(path));
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

/** Of somebody who is to be gone: all that there is. Keys in a home that another account has too are of that one. */
function leftOf(
  name: string,
  entry: readonly string[] | undefined,
  accounts: readonly (readonly string[])[],
  paths: readonly FoundPath[],
  rest: string,
): readonly string[] {
  const [, , uid, , , home = ''] = entry ?? [];
  const isShared = accounts.some(([other, id, at]) => other !== name && (id === uid || at === home));
  const keys = entry === undefined || isShared ? [] : keyFiles.map((file) => `${home}/.ssh/${file}`);
  const files = new Set([...keys, crontabOf(name), lingerOf(name)]);
  const rules = [...rest.matchAll(/^(\/etc\/sudoers[^:\n]*):\s*(\S+)\s*$/gm)];
  return [
    ...(entry === undefined ? [] : ['the account']),
    ...paths.flatMap(({ path }) => (files.has(path) ? [path] : [])),
    ...new Set(rules.flatMap(([, file = '', of]) => (of === name ? [file] : []))),
  ];
}

function parse(output: Buffer, batch: readonly User[]) {
  const text = output.toString('utf8');
  const end = text.indexOf('\n-\n');
  if (end < 0) throw new RangeError('the answer about users is cut off');
  const rest = text.slice(end + 3);
  const paths = parsePaths(rest);
  const entries = text
    .slice(0, end)
    .split('\n')
    .filter(Boolean)
    .map((entry) => entry.split(':'));
  const of = (kind: string, count: number): readonly (readonly string[])[] =>
    entries
      .filter(([letter]) => letter === kind)
      .map(([, ...fields]) => {
        if (fields.length !== count) throw new RangeError(`unexpected entry "${fields[0] ?? ''}"`);
        return fields;
      });
  const [passwd, accounts, shadow, groups] = [of('p', 7), of('a', 3), of('s', 4), of('g', 4)];
  return batch.map((user) => {
    const entry = passwd.find(([name]) => name === user.name);
    if (user.absent) {
      const left = leftOf(user.name, entry, accounts, paths, rest);
      return left.length === 0 ? null : { access: left.join(', ') };
    }
    if (entry === undefined) return null;
    const [, , uid, gid, comment, home = '', shell] = entry;
    const primary = groups.find(([, , number]) => number === gid)?.[0] ?? gid ?? '';
    const memberOf = groups
      .filter(([, , , members]) => members?.split(',').includes(user.name))
      .flatMap(([name]) => (name === undefined || name === primary ? [] : [name]));
    // Everybody is in the primary group, whether the list of its members says so or not.
    const others = user.groups?.includes(primary) === true ? [...memberOf, primary] : memberOf;
    const [, hash, changed = '', expiry = ''] = shadow.find(([name]) => name === user.name) ?? [];
    const same = accounts.flatMap(([name = '', number]) => (number === uid ? [name] : []));
    return {
      uid: Number(uid),
      group: primary,
      groups: list(others),
      comment: comment ?? '',
      home,
      homeDirectory: homeState(home, uid ?? '', paths),
      shell: shell ?? '',
      passwordHash: hash === undefined || hash === '' ? null : new Secret(hash),
      locked: parseLocked(expiry, changed),
      sharesUid:
        list(same.filter((name) => name !== user.name && !user.sharesUid.includes(name))) || 'nothing',
    };
  });
}

function option(flag: string, value: string | number | undefined): readonly (string | number)[] {
  return value === undefined ? [] : [flag, value];
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

/** useradd makes a group of the user's own name only where there is none yet. */
function create({ name, uid, group, home, shell, system }: User): Script {
  const words = [
    ...(system ? ['--system'] : []),
    ...option('--uid', uid),
    ...option('--home-dir', home),
    ...option('--shell', shell ?? (system ? '/usr/sbin/nologin' : '/bin/bash')),
  ];
  if (group !== undefined) return sh`useradd --no-create-home ${words} --gid ${group} ${name}`;
  return sh`if getent group ${name} >/dev/null; then useradd --no-create-home ${words} --gid ${name} ${name}
else useradd --no-create-home ${words} --user-group ${name}; fi`;
}

/** usermod refuses where a process of the user runs, as of every service, unless it sees no process. */
function moveHome(name: string, home: string): Script {
  return sh`if [ "$(getent passwd ${name} | cut -d: -f6)" != ${home} ]; then
  usermod --home ${home} ${name} 2>/dev/null ||
    unshare -m sh -euc 'mount -t tmpfs none /proc; exec usermod --home "$1" "$2"' sh ${home} ${name}
fi`;
}

/** A password that must be changed at the next login keeps out a key too. */
function renewPassword(name: string): Script {
  return sh`if [ "$(getent shadow ${name} | cut -d: -f3)" = 0 ]; then chage -d "$(date +%F)" ${name}; fi`;
}

function apply(user: User): Script {
  const { name, groups } = user;
  const attributes = [
    ...option('--uid', user.uid),
    ...option('--gid', user.group),
    ...option('--groups', groups === undefined ? undefined : list(groups)),
    ...option('--comment', user.comment),
    ...option('--shell', user.shell),
  ];
  const script = [
    sh`if ! getent passwd ${name} >/dev/null; then
${create(user)}
fi`,
  ];
  if (attributes.length > 0) script.push(sh`usermod ${attributes} ${name}`);
  if (user.home !== undefined) script.push(moveHome(name, user.home));
  if (createsHome(user)) script.push(enterFunctions, homeFunction, sh`hw_home ${name}`);
  if (user.locked !== undefined) script.push(sh`chage -E ${user.locked ? 1 : -1} ${name}`);
  if (user.locked === false) script.push(renewPassword(name));
  if (user.passwordHash !== undefined) script.push(sh`chpasswd -e`);
  return lines(script);
}

/** userdel takes the user's group along, also one that is declared, unless it is not the primary one any more. */
function removal({ id, desired: { name } }: Change<User>, host: ApplyContext): Step {
  const script = removeUser(name, host.declared('group').includes(name));
  return { resources: [id], title: `remove user ${name}`, script };
}

/** Somebody else with the number of a user is that user; who is declared has it by mistake, and stays. */
function removeDoubles({ actual, desired }: UserChange, host: ApplyContext): readonly Script[] {
  const found = actual === null || !('sharesUid' in actual) ? 'nothing' : actual.sharesUid;
  if (desired.uid === undefined || found === 'nothing') return [];
  const declared = new Set([...host.declared('user'), 'root']);
  return found
    .split(',')
    .map((other) =>
      declared.has(other)
        ? sh`echo ${`${other} has the number ${desired.uid} of ${desired.name}: declare the uid of ${other}`} >&2; exit 1`
        : removeUser(other, host.declared('group').includes(other)),
    );
}

function making(change: UserChange, host: ApplyContext): Step {
  const { id, desired } = change;
  const { name, passwordHash } = desired;
  const script = lines([...removeDoubles(change, host), apply(desired)]);
  const step = { resources: [id], title: `make user ${name}`, script };
  if (passwordHash === undefined) return step;
  return { ...step, stdin: Buffer.from(`${name}:${passwordHash.reveal()}\n`) };
}

/** Why nobody can log in as a user that is as declared. */
function whyNoLogin({ absent, locked, shell = '' }: User): string | undefined {
  if (absent) return 'the user would be removed';
  if (locked === true) return 'the user would be locked';
  return /\/(nologin|false|true)$/.test(shell) ? `its shell would be ${shell}` : undefined;
}

export const userType = defineResource({
  name: 'user',
  summary: 'A user with its groups, home directory, shell and password',
  schema,
  key: (user) => user.name,
  want,
  probe: (batch) => ({ script: probeScript(batch), parse: (output) => parse(output, batch) }),
  apply: (changes, host) =>
    changes.map((change) => (change.desired.absent ? removal(change, host) : making(change, host))),
  comparison: { computed: ['access'], leaving: ['access'], implied: ['sharesUid'] },
  order: {
    after: ({ name, group, groups = [] }) =>
      [group ?? name, ...groups].map((needed): ResourceId => `group:${needed}`),
    // A group of its name, and a home that may be anywhere.
    provides: (user, { kind, name }) =>
      kind === 'directory' ? 'perhaps' : kind !== 'unit' && user.name === name,
  },
  files: { alsoOwns: ({ name, home }) => [home ?? (name === 'root' ? '/root' : `/home/${name}`)] },
  access: {
    guard: ({ action, desired }, login) =>
      action !== 'create' && desired.name === login?.user ? restoring(accountFiles) : undefined,
    endsLogin: (user, login) => (user.name === login.user ? whyNoLogin(user) : undefined),
  },
});

/** A user: `user('deploy', { groups: ['sudo'], shell: '/bin/bash' })`. */
export function user(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(userType, { name, ...attributes }, options);
}
