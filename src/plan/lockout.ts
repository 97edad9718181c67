import { HostwrightError } from '../errors.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import type { Facts } from '../roles/role.ts';

/** Why no login of `user` would succeed with a resource as it is declared, where that is certain. */
function reason({ id, type, desired }: DeclaredResource, user: string): string | undefined {
  const isAbsent = type.want(desired) === null;
  if (id === `user:${user}`) {
    if (isAbsent) return 'it is to be removed';
    if ('locked' in desired && desired.locked === true) return 'it is to be locked';
    const shell = 'shell' in desired ? String(desired.shell) : '';
    if (/\/(nologin|false|true)$/.test(shell)) return `its shell is to be ${shell}`;
  }
  if (id === 'package:openssh-server' && isAbsent) return 'openssh-server is to be removed';
  if (id === 'package:sudo' && isAbsent && user !== 'root') return 'sudo is to be removed';
  return undefined;
}

/** E_RESOURCE for what would end the access of the user that this run came in as. */
export function refuseLockout(
  host: string,
  resources: readonly DeclaredResource[],
  login: Facts['connection'],
): void {
  if (login === undefined) return;
  for (const resource of resources) {
    const why = reason(resource, login.user);
    if (why === undefined) continue;
    throw new HostwrightError(
      'E_RESOURCE',
      `Hostwright logs in as ${login.user}, and could not any more: ${why}`,
      {
        place: { host, resource: resource.id },
        hint: 'log in as another user first (ansible_user)',
      },
    );
  }
}
