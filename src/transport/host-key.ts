import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatPlace, HostwrightError, type Place } from '../errors.ts';
import {
  fingerprint,
  hashName,
  judgeKey,
  keyType,
  knownHostsName,
  knownKeyTypes,
  parseKnownHosts,
  rsaBits,
  type KnownKey,
  type KnownName,
} from './known-hosts.ts';
import type { SshConfig } from './ssh-config.ts';

export interface HostKeyCheck {
  /** Types of the keys that are known, to be asked for first. */
  readonly knownTypes: ReadonlySet<string>;
  /**
   * The error that refuses a key; called at every exchange of keys. `address` is what the name of the host
   * leads to, where that is known.
   */
  refuse(key: Buffer, address?: string): HostwrightError | undefined;
}

/** What is known of the keys of a host. */
export interface KnownKeys {
  readonly name: KnownName;
  readonly entries: readonly KnownKey[];
  /** Keys of the lists that RevokedHostKeys names, in base64, with the file. */
  readonly revoked: ReadonlyMap<string, string>;
}

/** Reads the known_hosts files of a host and its list of revoked keys; E_HOST_KEY where one cannot be read. */
export function readKnownKeys(host: string, config: SshConfig): KnownKeys {
  const files = [...config.userKnownHostsFiles, ...config.globalKnownHostsFiles];
  const name: KnownName =
    config.hostKeyAlias === undefined
      ? { name: config.hostName, port: config.port }
      : { name: config.hostKeyAlias };
  return {
    name,
    entries: files.flatMap((file) => parseKnownHosts(readOptional(file, host), file, name.name)),
    revoked: new Map(
      config.revokedHostKeys.flatMap((file) => readRevoked(host, file).map((key) => [key, file] as const)),
    ),
  };
}

/** The check of the keys of a host against what is known of it; E_HOST_KEY where that cannot be read. */
export function checkHostKey(host: string, config: SshConfig): HostKeyCheck {
  const { name, entries, revoked } = readKnownKeys(host, config);
  let accepted: Buffer | undefined;
  return {
    knownTypes: knownKeyTypes(entries, name),
    refuse(key, address) {
      if (accepted?.equals(key) === true) return undefined;
      const error =
        tooSmall(host, config, key) ??
        revokedByList(host, revoked, key) ??
        anotherByAddress(host, config, key, address) ??
        judge(host, config, entries, name, key);
      if (error === undefined) accepted = key;
      return error;
    },
  };
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
  key: Buffer,
  address: string | undefined,
): HostwrightError | undefined {
  if (!config.checkHostIp || address === undefined || address === config.hostName) return undefined;
  const byAddress = { ...config, hostName: address, hostKeyAlias: undefined };
  const { name, entries } = readKnownKeys(host, byAddress);
  const isUnknown = judgeKey(entries, name, key).kind === 'unknown';
  return isUnknown ? undefined : judge(host, byAddress, entries, name, key);
}

function judge(
  host: string,
  config: SshConfig,
  entries: readonly KnownKey[],
  name: KnownName,
  key: Buffer,
): HostwrightError | undefined {
  const shown = knownHostsName(name);
  const place: Place = { host };
  const found = `${keyType(key)} ${fingerprint(key)}`;
  const verdict = judgeKey(entries, name, key);
  switch (verdict.kind) {
    case 'known':
      return undefined;
    case 'revoked':
      return new HostwrightError('E_HOST_KEY', `the key of ${shown} is revoked`, {
        place,
        found: `${found}, revoked at ${formatPlace(verdict.entry.place)}`,
        hint: 'the private key may be stolen: make new host keys before you trust this host',
      });
    case 'changed':
      return new HostwrightError('E_HOST_KEY', `the key of ${shown} has changed`, {
        place,
        found,
        expected: verdict.expected.map(showEntry).join(', '),
        hint: `if the host was reinstalled, remove the old key: ${removal(shown, verdict.expected)}; if not, an attacker may intercept the connection`,
      });
    case 'unknown':
      break;
  }
  // ssh would accept a key of a new type for a host with a known key. Known types are offered first, so this
  // host hides its known key.
  if (
    config.strictHostKeyChecking === 'accept-new' &&
    verdict.others.every(({ marker }) => marker !== null)
  ) {
    remember(config, shown, key);
    return undefined;
  }
  return unknownKey(config, { host, shown, found, others: verdict.others });
}

function unknownKey(
  config: SshConfig,
  { host, shown, found, others }: { host: string; shown: string; found: string; others: readonly KnownKey[] },
): HostwrightError {
  const authority = others.find((other) => other.marker === 'cert-authority');
  const scan = `to confirm and add its keys, run hostwright host-keys scan --accept, and compare the fingerprint with the one on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)`;
  const hint =
    authority !== undefined
      ? `host certificates (@cert-authority, ${formatPlace(authority.place)}) are not supported: ${scan}`
      : config.strictHostKeyChecking === 'no'
        ? `StrictHostKeyChecking=no is ignored: use accept-new; or ${scan}`
        : scan;
  return new HostwrightError('E_HOST_KEY', `the key of ${shown} is unknown`, {
    place: { host },
    found,
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

/** The file that new keys go to, if any. */
export function ownKnownHosts(config: SshConfig): string | undefined {
  const [file] = config.userKnownHostsFiles;
  return file === '/dev/null' ? undefined : file;
}

/** Adds a key to the first file of the user, as ssh does with StrictHostKeyChecking=accept-new. */
export function remember(config: SshConfig, name: string, key: Buffer): void {
  const file = ownKnownHosts(config);
  if (file === undefined) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const before = readOptional(file, name);
  const start = before === '' || before.endsWith('\n') ? '' : '\n';
  const patterns = config.hashKnownHosts ? hashName(name, randomBytes(20)) : name;
  appendFileSync(file, `${start}${patterns} ${keyType(key)} ${key.toString('base64')}\n`, { mode: 0o600 });
}

/** '' for a file that does not exist; a file that cannot be read might hold a revoked key. */
function readOptional(file: string, host: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return '';
    throw new HostwrightError('E_HOST_KEY', `${file} cannot be read`, { place: { host }, cause });
  }
}

function readRevoked(host: string, file: string): readonly string[] {
  const hint = 'use a list of public keys for RevokedHostKeys, one per line';
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (cause) {
    throw new HostwrightError('E_HOST_KEY', `the list of revoked keys cannot be read: ${file}`, {
      place: { host },
      hint,
      cause,
    });
  }
  if (text.startsWith('SSHKRL\n')) {
    throw new HostwrightError('E_HOST_KEY', `binary lists of revoked keys are not supported: ${file}`, {
      place: { host },
      hint,
    });
  }
  return text.split(/\s+/);
}

function revokedByList(
  host: string,
  revoked: ReadonlyMap<string, string>,
  key: Buffer,
): HostwrightError | undefined {
  const file = revoked.get(key.toString('base64'));
  if (file === undefined) return undefined;
  return new HostwrightError('E_HOST_KEY', 'the key of the host is revoked', {
    place: { host },
    found: `${keyType(key)} ${fingerprint(key)}, revoked in ${file}`,
    hint: 'the private key may be stolen: make new host keys before you trust this host',
  });
}
