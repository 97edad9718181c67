import { isWithin } from '../resources/path.ts';
import type { Change, DeclaredResource, Guard } from '../resources/resource.ts';
import type { Facts } from '../roles/role.ts';
import { sh } from '../transport/shell.ts';

export type Login = Facts['connection'];

type ResourceChange = Change & { readonly resource: DeclaredResource };

/** What decides who may log in, and become root. */
const access = [
  '/etc/sudoers',
  '/etc/sudoers.d',
  '/etc/pam.d',
  '/etc/security',
  '/etc/nologin',
  '/etc/login.defs',
];
const accounts = ['/etc/passwd', '/etc/group', '/etc/shadow', '/etc/gshadow', '/etc/nsswitch.conf'];

function restoring(paths: readonly string[], trees: readonly string[] = []): Guard {
  return { paths, trees, keep: sh``, restore: sh`` };
}

/** sshd looks at the owners and modes of every folder on the way to the keys. */
function pathGuard(path: string, change: ResourceChange, home: string | undefined): Guard | undefined {
  const isOnTheWay = home !== undefined && isWithin(home, path);
  const isDecisive =
    [...access, ...accounts].some((at) => isWithin(path, at)) ||
    (home !== undefined && isWithin(path, `${home}/.ssh`));
  if (!isOnTheWay && !isDecisive) return undefined;
  const goes = change.action === 'delete' || change.attributes.some(({ name }) => name === 'kind');
  return goes ? restoring([], [path]) : restoring([path]);
}

/** A key or an account that is new takes nothing from anybody. */
function accountGuard(
  { resource, desired, action }: ResourceChange,
  login: NonNullable<Login>,
): Guard | undefined {
  if (action === 'create') return undefined;
  const { user, home } = login;
  if (resource.type.name === 'authorized_key' && 'user' in desired && desired.user === user)
    return home === undefined ? undefined : restoring([`${home}/.ssh/authorized_keys`]);
  const isOwn = resource.type.name === 'user' && resource.type.key(desired) === user;
  const isGroup = resource.type.name === 'group' && action === 'delete';
  return isOwn || isGroup ? restoring(accounts) : undefined;
}

/** How the host rolls back a change that may cut the controller off: one of the type, or of the way in of `login`. */
export function guardOf(change: ResourceChange, login: Login): Guard | undefined {
  const { type } = change.resource;
  const own = type.guard?.(change.desired);
  if (own !== undefined || login === undefined) return own;
  const path = type.path?.(change.desired);
  return path === undefined ? accountGuard(change, login) : pathGuard(path, change, login.home);
}
