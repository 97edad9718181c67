import { isWithin } from '../resources/path.ts';
import { accountFiles, restoring, type Guard, type Login } from '../resources/capabilities/access.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import type { Change } from '../resources/state.ts';

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

/** sshd looks at the owners and modes of every folder on the way to the keys. */
function pathGuard(path: string, change: ResourceChange, home: string | undefined): Guard | undefined {
  const isOnTheWay = home !== undefined && isWithin(home, path);
  const isDecisive =
    [...access, ...accountFiles].some((at) => isWithin(path, at)) ||
    (home !== undefined && isWithin(path, `${home}/.ssh`));
  if (!isOnTheWay && !isDecisive) return undefined;
  const goes =
    change.action === 'delete' ||
    change.attributes.some(({ name }) => name === 'kind') ||
    (change.resource.type.files?.removes?.(change) ?? []).length > 0;
  return goes ? restoring([], [path]) : restoring([path]);
}

/** How the host rolls back a change that may cut the controller off: one of the type, or of the way in of `login`. */
export function guardOf(change: ResourceChange, login: Login | undefined): Guard | undefined {
  const { type } = change.resource;
  const own = type.access?.guard?.(change, login);
  const path = type.files?.path?.(change.desired);
  return own ?? (login === undefined || path === undefined ? undefined : pathGuard(path, change, login.home));
}
