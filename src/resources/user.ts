import { z } from 'zod';
import { Secret } from '../secrets/secret.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { accountName, oneLine, secretValue } from './attribute.ts';
import { path } from './path.ts';
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
    .describe('Creates a missing home directory from /etc/skel. Default: true, or false with `system`'),
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
  system: z
    .boolean()
    .default(false)
    .describe('A new user gets a UID of the system range and no home directory'),
  absent: z.boolean().default(false).describe('Removes the user; the home directory stays'),
});

type User = z.output<typeof schema>;

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
  };
}

/**
 * Lines of passwd, shadow and group, each behind the letter of its kind, and those whose home directory is
 * there. A password hash leaves the host only where one is declared.
 */
function probeScript(batch: readonly User[]): Script {
  const names = batch.map((user) => user.name);
  const hashed = batch.filter((user) => user.passwordHash !== undefined).map((user) => user.name);
  return sh`getent passwd ${names} >"$HW/passwd" || [ $? -eq 2 ]
getent group >"$HW/group"
{ getent shadow ${names} || [ $? -eq 2 ]; } | awk -F: -v hashed=${` ${hashed.join(' ')} `} '
kind == "s" { print "s:" $1 ":" (index(hashed, " " $1 " ") ? $2 : "") ":" $8; next }
{ print kind ":" $0 }' kind=p "$HW/passwd" kind=s - kind=g "$HW/group"
while IFS=: read -r name _ _ _ _ home _; do
  if [ -d "$home" ]; then printf 'h:%s\n' "$name"; fi
done <"$HW/passwd"`;
}

/** What `chage -E 1` leaves in shadow(5); an expiry of another day is nobody's lock. */
function parseLocked(expiry: string): Attribute {
  if (expiry === '') return false;
  if (!/^-?\d+$/.test(expiry)) throw new RangeError(`unexpected expiry "${expiry}"`);
  const day = Number(expiry);
  if (day < 0) return false;
  return day <= 1 ? true : `expires ${new Date(day * 86_400_000).toISOString().slice(0, 10)}`;
}

function parse(output: Buffer, batch: readonly User[]) {
  const entries = output
    .toString('utf8')
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
  const [passwd, shadow, groups, homes] = [of('p', 7), of('s', 3), of('g', 4), of('h', 1)];
  return batch.map((user) => {
    const entry = passwd.find(([name]) => name === user.name);
    if (entry === undefined) return null;
    const [, , uid, gid, comment, home, shell] = entry;
    const primary = groups.find(([, , number]) => number === gid)?.[0] ?? gid ?? '';
    const memberOf = groups
      .filter(([, , , members]) => members?.split(',').includes(user.name))
      .flatMap(([name]) => (name === undefined || name === primary ? [] : [name]));
    // Everybody is in the primary group, whether the list of its members says so or not.
    const others = user.groups?.includes(primary) === true ? [...memberOf, primary] : memberOf;
    const [, hash, expiry] = shadow.find(([name]) => name === user.name) ?? [];
    return {
      uid: Number(uid),
      group: primary,
      groups: list(others),
      comment: comment ?? '',
      home: home ?? '',
      homeDirectory: homes.some(([name]) => name === user.name) ? 'present' : 'missing',
      shell: shell ?? '',
      passwordHash: hash === undefined || hash === '' ? null : new Secret(hash),
      locked: parseLocked(expiry ?? ''),
    };
  });
}

function option(flag: string, value: string | number | undefined): readonly (string | number)[] {
  return value === undefined ? [] : [flag, value];
}

/** Filled under another name and then renamed, as `hw_replace` does with a file: never is there a home of root, or half of one. */
const homeFunction = sh`hw_home() {
  getent passwd "$1" >"$HW/entry"
  IFS=: read -r _ _ uid gid _ home _ <"$HW/entry"
  if [ -d "$home" ]; then return; fi
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
  if (createsHome(user)) script.push(homeFunction, sh`hw_home ${name}`);
  if (user.locked !== undefined) script.push(sh`chage -E ${user.locked ? 1 : -1} ${name}`);
  if (user.passwordHash !== undefined) script.push(sh`chpasswd -e`);
  return lines(script);
}

/** userdel takes the user's group along, also one that is declared, unless it is not the primary one any more. */
function removal({ id, desired: { name } }: Change<User>, host: ApplyContext): Step {
  const keepGroup = host.declared('group').includes(name) ? sh`usermod --gid nogroup ${name}; ` : sh``;
  const script = sh`if getent passwd ${name} >/dev/null; then ${keepGroup}userdel ${name}; fi`;
  return { resources: [id], title: `remove user ${name}`, script };
}

function making({ id, desired }: Change<User>): Step {
  const { name, passwordHash } = desired;
  const step = { resources: [id], title: `make user ${name}`, script: apply(desired) };
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
    changes.map((change) => (change.desired.absent ? removal(change, host) : making(change))),
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
