import { file, hostname, HostwrightError, type Resource, type RoleContext } from 'hostwright';
import type { Variables } from './variables.ts';

const isAddress = (text: string): boolean => /^[\d.]+$/.test(text) || text.includes(':');

/** The host knows its own name and those of all others, without any name server. */
export function names({ vars, host, site, template }: RoleContext<Variables>): readonly Resource[] {
  const own = vars.base_hostname ?? (isAddress(host.name) ? undefined : host.name.toLowerCase());
  const others = site.hosts('all').filter((one) => one.name !== host.name && !isAddress(one.name));
  const known = [
    ...(own === undefined
      ? []
      : [{ address: isAddress(host.address) ? host.address : '127.0.1.1', names: namesOf(own) }]),
    ...others
      .filter((one) => isAddress(one.address))
      .map((one) => ({ address: one.address, names: namesOf(one.name) })),
    ...Object.entries(vars.base_hosts).map(([address, list]) => ({ address, names: list.join(' ') })),
  ];
  const wrong = known.find(({ address }) => !isAddress(address));
  if (wrong !== undefined) {
    throw new HostwrightError('E_VARIABLE', 'invalid value for base_hosts (role base)', {
      place: { host: host.name },
      found: wrong.address,
      expected: 'an address for each list of names, such as 10.0.0.9: [registry.internal]',
    });
  }
  return [
    ...(own === undefined ? [] : [hostname(own)]),
    file('/etc/hosts', { content: template('base/hosts.hbs', { known }) }),
  ];
}

/** A full name, and its first part behind it. */
function namesOf(name: string): string {
  const [short = name] = name.split('.');
  return short === name ? name : `${name} ${short}`;
}
