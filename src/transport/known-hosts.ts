import type { FilePlace } from '../errors.ts';
import { isHashed, matchesName, plainNames } from './known-names.ts';
import { keyType } from './public-key.ts';

/** One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownKey {
  readonly marker: 'revoked' | 'cert-authority' | null;
  /** `web1,10.0.0.11`, `[web1]:2222`, `*.example.org,!old.example.org`, or `|1|SALT|HASH`. */
  readonly patterns: string;
  /** `ssh-ed25519` */
  readonly type: string;
  readonly key: Buffer;
  readonly place: FilePlace;
}

/** The name that a host is known by. */
export interface KnownName {
  /** HostKeyAlias, else the name or address that is connected to. */
  readonly name: string;
  /** Absent with HostKeyAlias, which stands for itself. */
  readonly port?: number;
}

export type Verdict =
  | { readonly kind: 'known' }
  /** No entry of this type of key; `others` are entries of the host of other types. */
  | { readonly kind: 'unknown'; readonly others: readonly KnownKey[] }
  | { readonly kind: 'changed'; readonly expected: readonly KnownKey[] }
  | { readonly kind: 'revoked'; readonly entry: KnownKey };

/**
 * A known_hosts file whose lines are found by name, or by key where the name is hashed: a hashed name shows
 * only when the digest of each line is made, which for every host in turn takes the square of their number.
 */
export interface KnownHosts {
  /** The entries of a name in lower case; a hashed one only where it has this key, if one is given. */
  entriesOf(name: string, key?: Buffer): readonly KnownKey[];
  /** How many names are hashed, and the types of their keys. */
  readonly hashed: { readonly count: number; readonly types: ReadonlySet<string> };
  /** Takes up a line that was written at the end of the file. */
  add(line: string): void;
  /** What a line that is to be written at the end must begin with. */
  readonly start: '' | '\n';
}

interface Line {
  readonly marker: KnownKey['marker'];
  readonly patterns: string;
  readonly type: string;
  readonly base64: string;
}

/** Undefined for what ssh would skip: comments, keys of SSH 1, garbage. */
function readLine(text: string): Line | undefined {
  const words = text.trim().split(/[ \t]+/);
  const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
  const [patterns, type, base64] = words;
  if (patterns === undefined || patterns.startsWith('#') || type === undefined || base64 === undefined) {
    return undefined;
  }
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return undefined;
  const kind = marker === undefined ? null : marker === '@revoked' ? 'revoked' : 'cert-authority';
  return { marker: kind, patterns, type, base64 };
}

function add<Key>(index: Map<Key, number[]>, key: Key, line: number): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, [line]);
  else found.push(line);
}

/** Reads a known_hosts file. Keys are decoded when they are asked for: with many hosts most of them never are. */
export function parseKnownHosts(text: string, file: string): KnownHosts {
  const lines: string[] = [];
  const byName = new Map<string, number[]>();
  const byKey = new Map<string, number[]>();
  /** Lines that are looked at for each name: patterns, and what is revoked. */
  const always: number[] = [];
  const hashed: number[] = [];
  const hashedTypes = new Set<string>();
  let start: KnownHosts['start'] = text === '' || text.endsWith('\n') ? '' : '\n';

  const take = (content: string): void => {
    const at = lines.push(content) - 1;
    const line = readLine(content);
    if (line === undefined) return;
    const names = plainNames(line.patterns);
    if (line.marker === null && isHashed(line.patterns)) {
      hashed.push(at);
      hashedTypes.add(line.type);
      add(byKey, line.base64, at);
    } else if (line.marker === null && names !== undefined) {
      for (const name of new Set(names)) add(byName, name, at);
    } else {
      always.push(at);
    }
  };
  if (text !== '') for (const content of text.replace(/\n$/, '').split('\n')) take(content);

  const entry = (at: number, name: string): readonly KnownKey[] => {
    const line = readLine(lines[at] ?? '');
    if (line === undefined || !matchesName(line.patterns, name)) return [];
    const key = Buffer.from(line.base64, 'base64');
    if (keyType(key) !== line.type) return [];
    const { marker, patterns, type } = line;
    return [{ marker, patterns, type, key, place: { file, line: at + 1 } }];
  };
  return {
    get hashed() {
      return { count: hashed.length, types: hashedTypes };
    },
    get start() {
      return start;
    },
    add(content) {
      take(content);
      start = '';
    },
    entriesOf(name, key) {
      const ofHashed = key === undefined ? hashed : (byKey.get(key.toString('base64')) ?? []);
      const found = [...(byName.get(name) ?? []), ...always, ...ofHashed];
      return found.toSorted((a, b) => a - b).flatMap((at) => entry(at, name));
    },
  };
}

/** `web1`, or `[web1]:2222` where the port is not 22. */
export function knownHostsName({ name, port = 22 }: KnownName): string {
  const lower = name.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

/** Judges a key as OpenSSH does: a revoked key first, then one that fits, then one of the same type. */
export function judgeKey(files: readonly KnownHosts[], host: KnownName, key: Buffer): Verdict {
  const name = knownHostsName(host);
  const same = files.flatMap((file) => file.entriesOf(name, key)).filter((entry) => entry.key.equals(key));
  const revoked = same.find((entry) => entry.marker === 'revoked');
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  if (same.some((entry) => entry.marker === null)) return { kind: 'known' };
  const mine = files.flatMap((file) => file.entriesOf(name));
  const plain = mine.filter((entry) => entry.marker === null);
  // Base64 may be written in more ways than one.
  if (plain.some((entry) => entry.key.equals(key))) return { kind: 'known' };
  const expected = plain.filter((entry) => entry.type === keyType(key));
  if (expected.length > 0) return { kind: 'changed', expected };
  if (host.port !== undefined && host.port !== 22) {
    // A key that is known for the host at port 22 is good at any other port.
    const verdict = judgeKey(files, { name: host.name }, key);
    if (verdict.kind === 'known' || verdict.kind === 'revoked') return verdict;
  }
  return { kind: 'unknown', others: mine.filter((entry) => entry.marker !== 'revoked') };
}

/** The digests of so many hashed names take less than asking a host once more. */
const fewHashed = 256;

/**
 * The types of the keys that are known for a host, so that one of them can be asked for. Of a host that no
 * line names in clear they may be those of any hashed name, where there are many of these.
 */
export function likelyKeyTypes(files: readonly KnownHosts[], host: KnownName): ReadonlySet<string> {
  const hashed = files.map((file) => file.hashed);
  if (hashed.reduce((sum, { count }) => sum + count, 0) <= fewHashed) return knownKeyTypes(files, host);
  const types = typesOf(files, host, Buffer.alloc(0));
  return types.size > 0 ? types : new Set(hashed.flatMap((of) => [...of.types]));
}

/** As likelyKeyTypes, exactly: it makes the digests of all hashed names. */
export function knownKeyTypes(files: readonly KnownHosts[], host: KnownName): ReadonlySet<string> {
  return typesOf(files, host);
}

function typesOf(files: readonly KnownHosts[], host: KnownName, key?: Buffer): ReadonlySet<string> {
  const names = [knownHostsName(host), knownHostsName({ name: host.name })];
  const mine = files.flatMap((file) => names.flatMap((name) => file.entriesOf(name, key)));
  return new Set(mine.filter((entry) => entry.marker === null).map((entry) => entry.type));
}
