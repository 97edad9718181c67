import type { Site, SiteHost } from 'hostwright';

/** The name of the cluster: a member takes part in the one that has its name and its CA. */
export const clusterName = 'hostwright';

/** State transfers of what a member has missed, and of everything. */
export const transferPorts = { missed: 4568, everything: 4444 };

/** Hosts that vote and have no data; none where the inventory has no such group. */
export function arbitrators(site: Pick<Site, 'hosts'>): readonly SiteHost[] {
  return site.hosts('all').filter(({ groups }) => groups.includes('arbitrator'));
}

export interface Keys {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** An address where a port follows. */
export function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/**
 * How the members talk: over mutual TLS, and a member that is silent for two seconds is suspected. Every member must
 * have the same times.
 */
export function providerOptions({ authority, certificate, key }: Keys, listen: string): readonly string[] {
  return [
    'socket.ssl=yes',
    `socket.ssl_ca=${authority}`,
    `socket.ssl_cert=${certificate}`,
    `socket.ssl_key=${key}`,
    `gmcast.listen_addr=ssl://${hostOf(listen)}:4567`,
    'evs.suspect_timeout=PT2S',
    'evs.inactive_timeout=PT6S',
    'evs.keepalive_period=PT0.5S',
    'evs.inactive_check_period=PT0.25S',
  ];
}
