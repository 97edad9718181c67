import { HostwrightError } from '../errors.ts';
import type { Login } from '../resources/capabilities/access.ts';
import type { DeclaredResource } from '../resources/resource.ts';

/** E_RESOURCE for what would end the access of the user that this run came in as. */
export function refuseLockout(
  host: string,
  resources: readonly DeclaredResource[],
  login: Login | undefined,
): void {
  if (login === undefined) return;
  for (const resource of resources) {
    const why = resource.type.access?.endsLogin?.(resource.desired, login);
    if (why === undefined) continue;
    throw new HostwrightError(
      'E_RESOURCE',
      `Hostwright logs in as ${login.user}, which would no longer be possible: ${why}`,
      {
        place: { host, resource: resource.id },
        hint: 'log in as another user first (ansible_user)',
      },
    );
  }
}
