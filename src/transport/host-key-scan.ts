import type { Duplex } from 'node:stream';
import ssh2, { type ServerHostKeyAlgorithm } from 'ssh2';
import { formatPlace, HostwrightError, type FilePlace } from '../errors.ts';
import { offeredAlgorithms } from './algorithms.ts';
import { connectError, connectTimeout } from './connect-error.ts';
import { createResolver, defaultConnectTimeout, resolveHops } from './connect.ts';
import { openConnection, openSocket, type Connection, type UserKeys } from './connection.ts';
import { knownName, revokedIn } from './host-key.ts';
import { createKeyFiles } from './key-files.ts';
import { createLoginKeys } from './login-keys.ts';
import { whenListenedFor } from './listening.ts';
import { judgeKey, knownHostsName, type KnownKey } from './known-hosts.ts';
import { fingerprint, keyType } from './public-key.ts';
import type { SshConfig } from './ssh-config.ts';
import type { Target } from './transport.ts';

/** A host key, compared with known_hosts. */
export interface ScannedKey {
  /** `ssh-ed25519` */
  readonly type: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  readonly state: 'known' | 'new' | 'changed' | 'revoked';
  /** The lines that say otherwise: the expected keys, or where it is revoked. */
  readonly against: readonly FilePlace[];
  readonly key: Buffer;
}

/**
 * The keys of a host. `known` where one of them is and none is revoked or another than expected: the
 * connection asks for that one. `changed` also where only keys of other types are known.
 */
export interface HostKeyScan {
  readonly state: ScannedKey['state'];
  /** As in known_hosts: `web1`, `[10.0.0.11]:2222`, or its HostKeyAlias. */
  readonly name: string;
  readonly keys: readonly ScannedKey[];
  /** Lines of other keys of it, where it is changed. */
  readonly expected: readonly KnownKey[];
  /** Lines with @cert-authority, which are not supported. */
  readonly authorities: readonly FilePlace[];
}

/** A host, or a jump host on the way to one. */
export interface ScanStop {
  /** `web1`, or `web1 (jump host bastion)`. */
  readonly host: string;
  readonly config: SshConfig;
  /** The jump hosts before it, the nearest first. */
  readonly before: readonly SshConfig[];
  readonly keys: UserKeys;
}

/** The kinds of keys that a host may have one of. */
const kinds: readonly (readonly ServerHostKeyAlgorithm[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
];

/** Gives for each target its jump hosts and itself, in the order of travel. E_CONNECT. */
export function createRouter(): (target: Target) => Promise<readonly ScanStop[]> {
  const resolver = createResolver();
  const keys: UserKeys = { known: createKeyFiles(), login: createLoginKeys() };
  return async (target) => {
    const config = await resolver.target(target);
    const hops = await resolveHops({ target, config, resolver });
    return [...hops, config].map((stop, index) => ({
      host: index === hops.length ? target.host : `${target.host} (jump host ${stop.hostName})`,
      config: stop,
      before: hops.slice(0, index),
      keys,
    }));
  };
}

/**
 * Reads the keys of a host, one type after the other, without a login, and compares them. It writes
 * nothing. Jump hosts are logged in to, and checked, as always. E_CONNECT, E_HOST_KEY, E_AUTH.
 */
export async function scanHostKeys(stop: ScanStop): Promise<HostKeyScan> {
  const { host, config } = stop;
  const algorithms = offeredAlgorithms(host, config, new Set());
  const wanted = kinds
    .map((kind) => kind.filter((name) => config.hostKeyAlgorithms?.includes(name) ?? true))
    .filter((kind) => kind.length > 0);
  const way: Connection[] = [];
  try {
    for (const hop of stop.before) {
      const name = `${host} (jump host ${hop.hostName})`;
      const last = way.at(-1);
      const via = last && (() => last.forward(hop.hostName, hop.port));
      const timeout = defaultConnectTimeout;
      way.push(await openConnection({ host: name, config: hop, timeout, via, keys: stop.keys }));
    }
    const keys: Buffer[] = [];
    for (const serverHostKey of wanted) {
      const via = await way.at(-1)?.forward(config.hostName, config.port);
      const key = await askForKey(stop, via ?? openSocket(host, config), {
        ...algorithms,
        serverHostKey: [...serverHostKey],
      });
      if (key !== undefined) keys.push(key);
    }
    if (keys.length > 0) return judgeHost(stop, keys);
  } finally {
    for (const connection of way.toReversed()) connection.end();
  }
  throw new HostwrightError('E_CONNECT', `${config.hostName} port ${config.port} has no usable host key`, {
    place: { host },
    expected: `one of ${wanted.flat().join(', ')}`,
    hint: 'make one on the host with ssh-keygen -A, and check HostKeyAlgorithms of the ssh configuration',
  });
}

/** The key of the kind that is asked for; undefined where the host has none. */
async function askForKey(
  { host, config }: ScanStop,
  socket: Duplex,
  algorithms: ssh2.Algorithms,
): Promise<Buffer | undefined> {
  const client = new ssh2.Client();
  const timeout = config.connectTimeout === undefined ? defaultConnectTimeout : config.connectTimeout * 1000;
  let shown: Buffer | undefined;
  let proved: Buffer | undefined;
  return new Promise<Buffer | undefined>((resolve, reject) => {
    const end = (error?: Error): void => {
      waiting.cancel();
      socket.destroy();
      if (proved !== undefined || /no matching host key format/.test(error?.message ?? '')) resolve(proved);
      else if (error instanceof HostwrightError) reject(error);
      else reject(connectError(host, config, error ?? new Error('ended before handshake')));
    };
    const waiting = whenListenedFor(timeout, () => end(connectTimeout(host, config, timeout)));
    client.on('error', end);
    client.once('close', () => end());
    // From here the host has proved that it holds the private key. There is no login.
    client.once('handshake', () => {
      proved = shown;
      end();
    });
    client.connect({
      sock: socket,
      username: config.user,
      algorithms,
      readyTimeout: 0,
      hostVerifier: (key: Buffer) => {
        shown = key;
        return true;
      },
    });
  });
}

function judgeHost(
  { host, config, keys: { known: files } }: ScanStop,
  shown: readonly Buffer[],
): HostKeyScan {
  const known = files.read(host, config);
  const name = knownName(config);
  const others: KnownKey[] = [];
  const keys = shown.map((key): ScannedKey => {
    const about = { type: keyType(key), fingerprint: fingerprint(key), key };
    const file = revokedIn(known, key);
    if (file !== undefined) return { ...about, state: 'revoked', against: [{ file }] };
    const verdict = judgeKey(known.files, name, key);
    switch (verdict.kind) {
      case 'known':
        return { ...about, state: 'known', against: [] };
      case 'revoked':
        return { ...about, state: 'revoked', against: [verdict.entry.place] };
      case 'changed':
        others.push(...verdict.expected);
        return { ...about, state: 'changed', against: verdict.expected.map(({ place }) => place) };
      case 'unknown':
        break;
    }
    others.push(...verdict.others);
    return { ...about, state: 'new', against: [] };
  });
  const has = (state: ScannedKey['state']): boolean => keys.some((key) => key.state === state);
  const lines = [...new Map(others.map((entry) => [formatPlace(entry.place), entry])).values()];
  const expected = lines.filter(({ marker }) => marker === null);
  const authorities = lines.filter(({ marker }) => marker === 'cert-authority');
  const settled = has('revoked') ? 'revoked' : has('changed') ? 'changed' : has('known') ? 'known' : 'new';
  const state = settled === 'new' && expected.length > 0 ? 'changed' : settled;
  return {
    state,
    name: knownHostsName(name),
    keys,
    expected: state === 'changed' ? expected : [],
    authorities: authorities.map(({ place }) => place),
  };
}

/**
 * Adds keys of a scan to the user's known_hosts. E_HOST_KEY, and nothing written, when the host is no longer
 * new: another process may have added it.
 */
export function acceptHostKeys(stop: ScanStop, keys: readonly ScannedKey[]): void {
  const {
    host,
    config,
    keys: { known: files },
  } = stop;
  const shown = keys.map(({ key }) => key);
  const now = judgeHost(stop, shown);
  if (now.state !== 'new') {
    throw new HostwrightError('E_HOST_KEY', `another process has added ${now.name} to known_hosts`, {
      place: { host },
      hint: 'scan the host again',
    });
  }
  for (const key of shown) files.remember(config, now.name, key);
}
