import { z } from 'zod';
import { Secret } from '../secrets/secret.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { accountName, oneLine, secretValue } from './attribute.ts';
import { keyFiles } from './authorized-key.ts';
import { crontabOf, leftOf, lingerOf, removeUser, ruleOf } from './former-user.ts';
import { homeState, makeHome, parsePaths } from './home.ts';
import { path } from './path.ts';
import { nobodyElse, removeSharing, sharing } from './same-number.ts';
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
    sharesUid: uid === undefined ? undefined : nobodyElse,
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
      sharesUid: sharing(user.name, uid, accounts, user.sharesUid),
    };
  });
}

function option(flag: string, value: string | number | undefined): readonly (string | number)[] {
  return value === undefined ? [] : [flag, value];
}

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
  if (createsHome(user)) script.push(makeHome(name));
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

function making(change: UserChange, host: ApplyContext): Step {
  const { id, desired, actual } = change;
  const { name, passwordHash } = desired;
  const others = actual !== null && 'sharesUid' in actual ? actual.sharesUid : nobodyElse;
  const script = lines([...removeSharing(others, desired, host), apply(desired)]);
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
    memberOf: ({ name, group, groups = [], absent }) => (absent ? [] : [group ?? name, ...groups]),
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
