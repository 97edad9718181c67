import type { SiteHost } from 'hostwright';

/** Where a host is, as HAProxy wants it before a port. */
export function bracketed({ address }: Pick<SiteHost, 'address'>): string {
  return address.includes(':') ? `[${address}]` : address;
}
