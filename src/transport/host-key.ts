import { formatPlace, HostwrightError, type Place } from '../errors.ts';
import type { KeyFiles, KnownKeys } from './key-files.ts';
import {
  judgeKey,
  knownHostsName,
  knownKeyTypes,
  likelyKeyTypes,
  type KnownKey,
  type KnownName,
  type Verdict,
} from './known-hosts.ts';
import { fingerprint, keyType, rsaBits } from './public-key.ts';
import type { SshConfig } from './ssh-config.ts';

export interface HostKeyCheck {
  /** Types of keys to be asked for first, so that the host shows one that is known. */
  readonly types: ReadonlySet<string>;
  /**
   * The error that refuses a key; called at every exchange of keys. `address` is what the name of the host
   * leads to, where that is known.
   */
  refuse(key: Buffer, address?: string): HostwrightError | undefined;
  /** After a refusal: whether the host is to be asked again, because hashed names tell of other `types`. */
  askAgain(): boolean;
}

/** The name that known_hosts has for a host. */
export function knownName({ hostKeyAlias, hostName, port }: SshConfig): KnownName {
  return hostKeyAlias === undefined ? { name: hostName, port } : { name: hostKeyAlias };
}

/** The check of the keys of a host against what is known of it; E_HOST_KEY where that cannot be read. */
export function checkHostKey(files: KeyFiles, host: string, config: SshConfig): HostKeyCheck {
  const known = files.read(host, config);
  const name = knownName(config);
  let types = likelyKeyTypes(known.files, name);
  let accepted: Buffer | undefined;
  let refused: Buffer | undefined;

  const betterTypes = (shown: Buffer): ReadonlySet<string> | undefined => {
    const exact = knownKeyTypes(known.files, name);
    return exact.size === 0 || exact.has(keyType(shown)) || isSame(exact, types) ? undefined : exact;
  };
  const judge = (key: Buffer): HostwrightError | undefined => {
    const verdict = judgeKey(known.files, name, key);
    if (verdict.kind === 'known') return undefined;
    const subject: Subject = { host, config, name, key };
    if (verdict.kind !== 'unknown') return mistrust(subject, verdict);
    // ssh would accept a key of a new type for a host with a known key. Known types are offered first, so this
    // host hides its known key.
    const isNew = verdict.others.every(({ marker }) => marker !== null) && betterTypes(key) === undefined;
    if (!isNew || config.strictHostKeyChecking !== 'accept-new') return unknownKey(subject, verdict.others);
    files.remember(config, knownHostsName(name), key);
    return undefined;
  };
  return {
    get types() {
      return types;
    },
    askAgain() {
      const better = refused && betterTypes(refused);
      types = better ?? types;
      return better !== undefined;
    },
    refuse(key, address) {
      if (accepted?.equals(key) === true) return undefined;
      const error =
        tooSmall(host, config, key) ??
        revokedByList(host, known, key) ??
        anotherByAddress(host, config, known, key, address) ??
        judge(key);
      if (error === undefined) accepted = key;
      else refused = key;
      return error;
    },
  };
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((name) => other.has(name));
}

function tooSmall(host: string, { requiredRsaSize }: SshConfig, key: Buffer): HostwrightError | undefined {
  const bits = rsaBits(key);
  if (bits === undefined || bits >= requiredRsaSize) return undefined;
  return new HostwrightError('E_HOST_KEY', 'the key of the host is too small', {
    place: { host },
    found: `RSA, ${bits} bits`,
    expected: `${requiredRsaSize} bits or more, as RequiredRSASize of the ssh configuration says`,
    hint: 'make a larger key on the host, or add its Ed25519 key to known_hosts',
  });
}

/** CheckHostIP: the known keys of the address reveal a name that leads to another host than before. */
function anotherByAddress(
  host: string,
  config: SshConfig,
  { files }: KnownKeys,
  key: Buffer,
  address: string | undefined,
): HostwrightError | undefined {
  if (!config.checkHostIp || address === undefined || address === config.hostName) return undefined;
  const name: KnownName = { name: address, port: config.port };
  const verdict = judgeKey(files, name, key);
  if (verdict.kind === 'unknown' || verdict.kind === 'known') return undefined;
  return mistrust({ host, config, name, key }, verdict);
}

/** A key that a host has shown. */
interface Subject {
  readonly host: string;
  readonly config: SshConfig;
  readonly name: KnownName;
  readonly key: Buffer;
}

function shownKey(key: Buffer): string {
  return `${keyType(key)} ${fingerprint(key)}`;
}

/** The error of a key that known_hosts speaks against. */
function mistrust(
  { host, name, key }: Subject,
  verdict: Extract<Verdict, { readonly kind: 'revoked' | 'changed' }>,
): HostwrightError {
  const shown = knownHostsName(name);
  const place: Place = { host };
  const found = shownKey(key);
  if (verdict.kind === 'revoked') {
    return new HostwrightError('E_HOST_KEY', `the key of ${shown} is revoked`, {
      place,
      found: `${found}, revoked at ${formatPlace(verdict.entry.place)}`,
      hint: 'the private key may be stolen: make new host keys before you trust this host',
    });
  }
  return new HostwrightError('E_HOST_KEY', `the key of ${shown} has changed`, {
    place,
    found,
    expected: verdict.expected.map(showEntry).join(', '),
    hint: `if the host was reinstalled, remove the old key: ${removal(shown, verdict.expected)}; if not, an attacker may intercept the connection`,
  });
}

function unknownKey({ host, config, name, key }: Subject, others: readonly KnownKey[]): HostwrightError {
  const authority = others.find((other) => other.marker === 'cert-authority');
  const scan = `to confirm and add its keys, run hostwright host-keys scan --accept, and compare the fingerprint with the one on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)`;
  const hint =
    authority !== undefined
      ? `host certificates (@cert-authority, ${formatPlace(authority.place)}) are not supported: ${scan}`
      : config.strictHostKeyChecking === 'no'
        ? `StrictHostKeyChecking=no is ignored: use accept-new; or ${scan}`
        : scan;
  return new HostwrightError('E_HOST_KEY', `the key of ${knownHostsName(name)} is unknown`, {
    place: { host },
    found: shownKey(key),
    expected: others.length === 0 ? 'an entry in known_hosts' : others.map(showEntry).join(', '),
    hint,
  });
}

function showEntry(entry: KnownKey): string {
  return `${entry.type} ${fingerprint(entry.key)} (${formatPlace(entry.place)})`;
}

/** The command that removes known keys of a host from the files that hold them. */
export function removal(name: string, entries: readonly KnownKey[]): string {
  const files = [...new Set(entries.map(({ place }) => place.file))];
  return files.map((file) => `ssh-keygen -R '${name}' -f ${file}`).join(' && ');
}

/** The list of RevokedHostKeys that holds a key. */
export function revokedIn({ revoked }: KnownKeys, key: Buffer): string | undefined {
  const base64 = key.toString('base64');
  return [...revoked].find(([, keys]) => keys.has(base64))?.[0];
}

function revokedByList(host: string, known: KnownKeys, key: Buffer): HostwrightError | undefined {
  const file = revokedIn(known, key);
  if (file === undefined) return undefined;
  return new HostwrightError('E_HOST_KEY', 'the key of the host is revoked', {
    place: { host },
    found: `${shownKey(key)}, revoked in ${file}`,
    hint: 'the private key may be stolen: make new host keys before you trust this host',
  });
}
