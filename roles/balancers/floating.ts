import { isIP } from 'node:net';
import {
  HostwrightError,
  type Declared,
  type FloatingAddressDeclaration,
  type Site,
  type SiteHost,
} from 'hostwright';

/** A host with 1 in it gives the address up, and does not take it. Gone after a reboot. */
export const leaveFile = '/run/keepalived/leave';
/** Is there for as long as that file, so that monitoring tells when a balancer that has left is forgotten. */
export const leftUnit = 'hostwright-balancer-left.service';
/** Succeeds while HAProxy answers on the host. */
export const check = '/usr/local/lib/hostwright/haproxy-answers';

/** The balancers that share the addresses of one, with it, in the order in which they are preferred. */
export function balancersOf(host: SiteHost, site: Pick<Site, 'declared'>): readonly SiteHost[] {
  const declared = site.declared<FloatingAddressDeclaration>('floating_address');
  const shared = (one: Declared<FloatingAddressDeclaration>): string => one.addresses.toSorted().join(' ');
  const own = declared.find((one) => one.host.name === host.name);
  if (own === undefined) return [];
  const balancers = declared.filter((one) => shared(one) === shared(own)).map((one) => one.host);
  for (const { name, address } of balancers) {
    if (isIP(address) !== 0 && isIP(address) === isIP(host.address)) continue;
    throw new HostwrightError(
      'E_VARIABLE',
      `${name} and ${host.name} cannot tell each other who has the address of the balancers`,
      {
        place: { host: name },
        found: `"${address}" and "${host.address}"`,
        expected: 'addresses, all of IPv4 or all of IPv6',
        hint: `set private_address or ansible_host of ${name} to its address`,
      },
    );
  }
  return balancers;
}
