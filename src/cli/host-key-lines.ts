import { formatPlace } from '../errors.ts';
import { printable } from '../report/printable.ts';
import { removal } from '../transport/host-key.ts';
import { ownKnownHosts } from '../transport/key-files.ts';
import type { HostKeyScan, ScannedKey, ScanStop } from '../transport/host-key-scan.ts';

/** The result for a host: the state of its keys, or what was done about them. */
export type Outcome = HostKeyScan['state'] | 'accepted' | 'unexpected' | 'unreachable';

const words: Readonly<Record<ScannedKey['state'], string>> = {
  known: 'known',
  new: 'new',
  changed: 'CHANGED',
  revoked: 'REVOKED',
};

/** The keys of a host, for people to compare. */
export function keyLines({ host, config }: ScanStop, scan: HostKeyScan): readonly string[] {
  return [
    `${host}  ${printable(config.hostName)} port ${config.port}`,
    ...scan.keys.map((key) => {
      const against = key.against.map((place) => formatPlace(place)).join(', ');
      const see = against === '' ? '' : `  see ${against}`;
      return `  ${words[key.state].padEnd(7)}  ${printable(key.type)} ${key.fingerprint}${see}`;
    }),
    ...scan.authorities.map(
      (place) => `  host certificates are not supported: @cert-authority at ${formatPlace(place)}`,
    ),
  ];
}

/** The next step for a host, if there is one. */
export function adviceLines({ config }: ScanStop, scan: HostKeyScan, outcome: Outcome): readonly string[] {
  switch (outcome) {
    case 'accepted':
      return [`  added to ${ownKnownHosts(config) ?? ''}`];
    case 'unexpected':
      return [
        '  no key of this host has the given fingerprint',
        '  hint: check the address; if it is right, an attacker may intercept the connection',
      ];
    case 'revoked':
      return ['  hint: the private key may be stolen: make new host keys before you trust this host'];
    case 'changed': {
      const places = scan.expected.map(({ place }) => formatPlace(place)).join(', ');
      return [
        `  known_hosts has another key (${places}), which this command does not replace`,
        `  hint: if the host was reinstalled, remove the old key: ${removal(scan.name, scan.expected)}; if not, an attacker may intercept the connection`,
      ];
    }
    case 'known':
    case 'new':
    case 'unreachable':
      break;
  }
  return [];
}

/** One line of `--json`. */
export function keyEvent(host: string, scan: HostKeyScan | undefined, outcome: Outcome): object {
  const keys = scan?.keys.map(({ type, fingerprint, state, against }) => ({
    type,
    fingerprint,
    state,
    against,
  }));
  return { type: 'host-keys', host, name: scan?.name ?? null, outcome, keys: keys ?? [] };
}
