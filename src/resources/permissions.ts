import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { lines, sh, type Script } from '../transport/shell.ts';
import { ownerName, ownership } from './attribute.ts';
import { restoring } from './capabilities/access.ts';
import { ancestors, isWithin, mode, ownersAfter, path } from './path.ts';
import {
  declare,
  defineResource,
  type DeclaredPaths,
  type Resource,
  type ResourceOptions,
} from './resource.ts';
import { aclOf } from './shell/plain.ts';
import { replaceFunctions } from './shell/replace.ts';
import { ownersOf, statProbe, type Stat } from './shell/stat.ts';
import type { ResourceId } from './state.ts';
import { each } from './step.ts';

const schema = z.strictObject({
  path,
  owner: ownerName.prefault('root'),
  group: ownerName.optional().describe('Default: unchanged'),
  mode: mode.describe('The most that is allowed: bits beyond it are removed, missing ones stay missing'),
});

type Permissions = z.output<typeof schema>;

function atMost(bits: string): string {
  return `at most ${bits}`;
}

/** A mode, as it is declared where it allows no more. */
function modeOf(found: string, { mode: most }: Permissions): string {
  return (Number.parseInt(found, 8) & ~Number.parseInt(most, 8)) === 0 ? atMost(most) : found;
}

/** Whether a resource makes the path: that one says who may use it. */
function isMade(at: string, host: DeclaredPaths): boolean {
  return host.declares(`directory:${at}`) || host.declares(`file:${at}`);
}

/** What is missing, a link, or declared by another resource has nothing to change. */
function stateOf(permissions: Permissions, stat: Stat | undefined, host: DeclaredPaths) {
  const { path: at, owner, group, mode: most } = permissions;
  const isJudged = (stat?.kind === 'directory' || stat?.kind === 'file') && !isMade(at, host);
  if (!isJudged) return { owner, group: group ?? null, mode: atMost(most) };
  return { ...ownersOf(stat, { owner, group: group ?? '' }), mode: modeOf(stat.mode, permissions) };
}

/**
 * `hw_allow NAME OWNER:GROUP MODE ACL [anew]`: what is in the current directory gets its owner, and at most a mode; the
 * group stays where none is behind the colon. A file with an ACL or capabilities is made anew, without them; any other
 * stays the same file, as somebody may be writing it.
 */
const allowFunction: Script = lines([
  replaceFunctions,
  sh`hw_allow() {
  if [ -L "./$1" ] || [ ! -e "./$1" ]; then return; fi
  hw_owner=$2
  case $2 in *:) hw_owner=$2$(stat -c +%g "./$1") ;; esac
  hw_bits=$(printf '0%04o' "$((0$(stat -c %a "./$1") & 0$3))")
  if [ -d "./$1" ]; then
    hw_enter "\${PWD%/}/$1"
    hw_plain "$hw_owner" "$hw_bits" "$4"
    hw_at=.
  else
    [ -z "$(hw_others)" ] || hw_refuse "\${PWD%/}/$1"
    hw_at=./$1
    if [ "$5" = anew ]; then hw_replace "$hw_bits" "\${PWD%/}/$1" "$hw_owner" <"$hw_at"; return; fi
  fi
  chown -h "$hw_owner" "$hw_at" || hw_stuck "$hw_at"
  chmod "$hw_bits" "$hw_at" || hw_stuck "$hw_at"
}`,
]);

export const permissionsType = defineResource({
  name: 'permissions',
  summary:
    'Owner, group and the most that the mode of a file or directory may allow, of what a package or a service makes. A path that is missing, a link, or declared as `file` or `directory` is left alone',
  schema,
  key: (permissions) => permissions.path,
  want: ({ owner, group, mode: most }) => ({ owner, group, mode: atMost(most) }),
  probe: (batch, host) =>
    statProbe({ paths: batch.map((permissions) => permissions.path), hash: false, weigh: false }, (found) =>
      batch.map((permissions) => stateOf(permissions, found.get(permissions.path), host)),
    ),
  apply: each(({ id, desired, attributes }) => {
    const { path: at, owner, group = '', mode: most } = desired;
    const isAnew = attributes.some(({ name }) => name === 'acl' || name === 'capabilities');
    const script = sh`${allowFunction}
hw_enter ${dirname(at)}
hw_allow ${basename(at)} ${ownership({ owner, group })} ${most} ${aclOf(most)} ${isAnew ? 'anew' : ''}`;
    return { resources: [id], title: `set who may use ${at}`, script };
  }),
  order: {
    after: (permissions) => [
      ...ownersAfter(permissions),
      ...ancestors(permissions.path).map((above): ResourceId => `permissions:${above}`),
    ],
    provides: () => false,
  },
  files: { modeIsAll: ({ path: at }) => [at] },
  access: {
    // sshd looks at every folder on the way to the keys.
    guard: ({ desired: { path: at } }, login) => {
      const home = login?.home;
      const isOnTheWay = home !== undefined && (isWithin(home, at) || isWithin(at, `${home}/.ssh`));
      return isOnTheWay ? restoring([at]) : undefined;
    },
  },
});

/** Who may use what others make: `permissions('/var/lib/mysql', { owner: 'mysql', group: 'mysql', mode: '0750' })`. */
export function permissions(
  at: string,
  attributes: Omit<z.input<typeof schema>, 'path'>,
  options?: ResourceOptions,
): Resource {
  return declare(permissionsType, { path: at, ...attributes }, options);
}
