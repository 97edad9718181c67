import { formatPlace } from '../errors.ts';
import { printable } from '../report/printable.ts';
import { ownKnownHosts, removal } from '../transport/host-key.ts';
import type { HostKeyScan, ScannedKey, ScanStop } from '../transport/host-key-scan.ts';

/** What became of a host: the state of its keys, or what was done about them. */
export type Outcome = HostKeyScan['state'] | 'accepted' | 'unexpected' | 'unreachable';

const words: Readonly<Record<ScannedKey['state'], string>> = {
  known: 'known',
  new: 'new',
  changed: 'CHANGED',
  revoked: 'REVOKED',
};

/** The keys of a host, for a person to compare. */
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

/** What to do next about a host, if anything. */
export function adviceLines({ config }: ScanStop, scan: HostKeyScan, outcome: Outcome): readonly string[] {
  switch (outcome) {
    case 'accepted':
      return [`  accepted, and written to ${ownKnownHosts(config) ?? ''}`];
    case 'unexpected':
      return [
        '  none of its keys has the fingerprint that was given',
        '  hint: look whether the address is right; if it is, somebody may be listening',
      ];
    case 'revoked':
      return ['  hint: somebody may hold the private key: give the host a new one before you trust it'];
    case 'changed': {
      const places = scan.expected.map(({ place }) => formatPlace(place)).join(', ');
      return [
        `  it is known by another key (${places}), which is not replaced here`,
        `  hint: if the host was set up anew, remove the old key: ${removal(scan.name, scan.expected)}; if not, somebody may be listening`,
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
