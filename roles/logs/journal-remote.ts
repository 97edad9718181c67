import { createHash } from 'node:crypto';
import {
  pkg,
  service,
  type Declaration,
  type Declared,
  type Resource,
  type Site,
  type SiteHost,
} from 'hostwright';

/** The host that keeps the logs of all. */
export interface LogServerDeclaration extends Declaration {
  readonly kind: 'log_server';
  readonly port: number;
}

/** A host that sends its journal, with the common name of the certificate that it shows. */
export interface LogSenderDeclaration extends Declaration {
  readonly kind: 'log_sender';
  readonly peer: string;
}

/** Where the log server keeps the journals of hosts, in the name of the account of Debian's package. */
export const store = '/var/log/hosts';
export const storeAccount = 'systemd-journal-remote';

/** The group that may read the key of a sender. */
export const senderGroup = 'log-sender';

export function digestOf(host: SiteHost): string {
  return createHash('sha256').update(host.name).digest('hex').slice(0, 32);
}

/**
 * The common name by which the server knows a host, which also names files: `log-sender-web1`. The internal CA issues
 * it to that host alone.
 */
export function peerOf(host: SiteHost): string {
  const slug = host.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return slug === host.name ? `log-sender-${slug}` : `log-sender-${slug}-${digestOf(host).slice(0, 8)}`;
}

export function serverOf(site: Pick<Site, 'declared'>): Declared<LogServerDeclaration> | undefined {
  return site.declared<LogServerDeclaration>('log_server')[0];
}

/** Debian's package, without the two services that it has for everybody: one that tells, one that takes. */
export function journalRemote(): readonly Resource[] {
  return [
    pkg('systemd-journal-remote'),
    ...['systemd-journal-gatewayd.socket', 'systemd-journal-remote.socket'].map((name) =>
      service(name, { running: false, enabled: false }),
    ),
  ];
}
