import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { createFileCache, type FileCache } from './file-cache.ts';
import { parseKnownHosts, type KnownHosts } from './known-hosts.ts';
import { hashName } from './known-names.ts';
import { keyType } from './public-key.ts';
import type { SshConfig } from './ssh-config.ts';

/** What the files of a host say about keys. */
export interface KnownKeys {
  /** Its known_hosts files, those that there are. */
  readonly files: readonly KnownHosts[];
  /** The lists that RevokedHostKeys names: keys in base64. */
  readonly revoked: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The files that say which host keys are known and which are revoked, read once for all hosts. */
export interface KeyFiles {
  /** E_HOST_KEY where one cannot be read: it might hold a revoked key. */
  read(host: string, config: SshConfig): KnownKeys;
  /** Adds a key to the first file of the user, as ssh does with StrictHostKeyChecking=accept-new. */
  remember(config: SshConfig, name: string, key: Buffer): void;
}

export function createKeyFiles(): KeyFiles {
  const known = createFileCache((content, file) => parseKnownHosts(content.toString('utf8'), file));
  const lists = createFileCache((content) => parseRevoked(content.toString('latin1')));
  return {
    read: (host, config) => ({
      files: [...config.userKnownHostsFiles, ...config.globalKnownHostsFiles].flatMap(
        (file) => readKnown(known, host, file) ?? [],
      ),
      revoked: new Map(config.revokedHostKeys.map((file) => [file, readRevoked(lists, host, file)])),
    }),
    remember(config, name, key) {
      const file = ownKnownHosts(config);
      if (file === undefined) return;
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const patterns = config.hashKnownHosts ? hashName(name, randomBytes(20)) : name;
      const line = `${patterns} ${keyType(key)} ${key.toString('base64')}`;
      const start = readKnown(known, name, file)?.start ?? '';
      known.append(file, `${start}${line}\n`, (hosts) => hosts.add(line));
    },
  };
}

/** The file that new keys go to, if any. */
export function ownKnownHosts(config: SshConfig): string | undefined {
  const [file] = config.userKnownHostsFiles;
  return file === '/dev/null' ? undefined : file;
}

function readKnown(cache: FileCache<KnownHosts>, host: string, file: string): KnownHosts | undefined {
  try {
    return cache.read(file);
  } catch (cause) {
    throw new HostwrightError('E_HOST_KEY', `${file} cannot be read`, { place: { host }, cause });
  }
}

type RevokedKeys = ReadonlySet<string> | 'binary';

function parseRevoked(text: string): RevokedKeys {
  return text.startsWith('SSHKRL\n') ? 'binary' : new Set(text.split(/\s+/));
}

function readRevoked(cache: FileCache<RevokedKeys>, host: string, file: string): ReadonlySet<string> {
  const refused = (message: string, cause?: unknown): HostwrightError =>
    new HostwrightError('E_HOST_KEY', `${message}: ${file}`, {
      place: { host },
      hint: 'use a list of public keys for RevokedHostKeys, one per line',
      cause,
    });
  let keys: RevokedKeys | undefined;
  try {
    keys = cache.read(file);
  } catch (cause) {
    throw refused('the list of revoked keys cannot be read', cause);
  }
  if (keys === undefined) throw refused('the list of revoked keys cannot be read');
  if (keys === 'binary') throw refused('binary lists of revoked keys are not supported');
  return keys;
}
