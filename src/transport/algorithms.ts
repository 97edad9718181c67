import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import { HostwrightError } from '../errors.ts';
import type { SshConfig } from './ssh-config.ts';

// What ssh2 can do and is not obsolete, in its own order: AES-GCM before ChaCha20, which it has no fast way for.
const hostKeys: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
const keyExchanges: readonly KexAlgorithm[] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group-exchange-sha256',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
];
const ciphers: readonly CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
];
const macs: readonly MacAlgorithm[] = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
];

/**
 * The algorithms to offer: those that both ssh2 and the user's configuration allow. The types of the
 * host's known keys come first; otherwise a host with several keys would show an unknown one.
 */
export function offeredAlgorithms(
  host: string,
  config: SshConfig,
  knownTypes: ReadonlySet<string>,
): Algorithms {
  const allowed = <Name extends string>(
    option: string,
    names: readonly Name[],
    wanted: readonly string[] | undefined,
  ): Name[] => {
    const both = wanted === undefined ? [...names] : names.filter((name) => wanted.includes(name));
    if (both.length > 0) return both;
    throw new HostwrightError('E_CONNECT', `${option} leaves no supported algorithm`, {
      place: { host },
      found: wanted?.join(',') ?? '',
      expected: `one of ${names.join(', ')}`,
      hint: `allow one of them for this host in the ssh configuration`,
    });
  };
  const serverHostKey = allowed('HostKeyAlgorithms', hostKeys, config.hostKeyAlgorithms);
  const known = (name: string): boolean => knownTypes.has(name.startsWith('rsa-') ? 'ssh-rsa' : name);
  return {
    serverHostKey: [...serverHostKey.filter(known), ...serverHostKey.filter((name) => !known(name))],
    kex: allowed('KexAlgorithms', keyExchanges, config.kexAlgorithms),
    cipher: allowed('Ciphers', ciphers, config.ciphers),
    hmac: allowed('MACs', macs, config.macs),
  };
}
