import { HostwrightError, type SiteHost } from 'hostwright';
import type { Place } from './topology.ts';

/** The host that takes writes. */
export function primaryOf({ vars, site }: Place): SiteHost {
  const hosts = site.hosts('db');
  const { mysql_primary: name } = vars;
  const found = name === undefined ? hosts[0] : hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  if (name === undefined) {
    throw new HostwrightError('E_ROLE', 'the role mysql needs a host in the group db', {
      hint: 'put the hosts into the group db that the role mysql is for',
    });
  }
  throw new HostwrightError('E_VARIABLE', `mysql_primary names ${name}, which is not in the group db`, {
    expected: `one of ${hosts.map((host) => host.name).join(', ')}`,
  });
}
