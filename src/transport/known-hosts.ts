import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { FilePlace } from '../errors.ts';

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
 * Lines that ssh would skip (comments, keys of SSH 1, garbage) are skipped, and those that cannot be about
 * `name`: with a thousand hosts each would decode the keys of all.
 */
export function parseKnownHosts(text: string, file: string, name: string): readonly KnownKey[] {
  const wanted = name.toLowerCase();
  return text.split('\n').flatMap((line, index) => {
    if (!mayConcern(line, wanted)) return [];
    const words = line.trim().split(/[ \t]+/);
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [patterns, type, base64] = words;
    if (patterns === undefined || patterns.startsWith('#') || type === undefined || base64 === undefined) {
      return [];
    }
    if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return [];
    const key = Buffer.from(base64, 'base64');
    if (keyType(key) !== type) return [];
    const kind = marker === undefined ? null : marker === '@revoked' ? 'revoked' : 'cert-authority';
    return [{ marker: kind, patterns, type, key, place: { file, line: index + 1 } }];
  });
}

/** Patterns and hashes have signs that neither names nor keys have. */
function mayConcern(line: string, name: string): boolean {
  return /[*?!|]/.test(line) || line.toLowerCase().includes(name);
}

/** The name inside of a public key, which every format starts with; '' for garbage. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return '';
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/** The size of an RSA key in bits; undefined for others. */
export function rsaBits(key: Buffer): number | undefined {
  if (keyType(key) !== 'ssh-rsa') return undefined;
  const [, , modulus = Buffer.alloc(0)] = sshStrings(key);
  const first = modulus.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : 8 * (modulus.length - first) - (Math.clz32(modulus[first] ?? 0) - 24);
}

/** The strings that a public key is made of; of garbage those that are whole. */
function sshStrings(key: Buffer): readonly Buffer[] {
  const strings: Buffer[] = [];
  for (let at = 0; at + 4 <= key.length;) {
    const end = at + 4 + key.readUInt32BE(at);
    if (end > key.length) break;
    strings.push(key.subarray(at + 4, end));
    at = end;
  }
  return strings;
}

/** `web1`, or `[web1]:2222` where the port is not 22. */
export function knownHostsName({ name, port = 22 }: KnownName): string {
  const lower = name.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

/** Judges a key as OpenSSH does: a revoked key first, then one that fits, then one of the same type. */
export function judgeKey(entries: readonly KnownKey[], host: KnownName, key: Buffer): Verdict {
  const mine = entriesOf(entries, knownHostsName(host));
  const same = (entry: KnownKey): boolean => entry.key.equals(key);
  const revoked = mine.find((entry) => entry.marker === 'revoked' && same(entry));
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  const plain = mine.filter((entry) => entry.marker === null);
  if (plain.some(same)) return { kind: 'known' };
  const expected = plain.filter((entry) => entry.type === keyType(key));
  if (expected.length > 0) return { kind: 'changed', expected };
  if (host.port !== undefined && host.port !== 22) {
    // A key that is known for the host at port 22 is good at any other port.
    const verdict = judgeKey(entries, { name: host.name }, key);
    if (verdict.kind === 'known' || verdict.kind === 'revoked') return verdict;
  }
  return { kind: 'unknown', others: mine.filter((entry) => entry.marker !== 'revoked') };
}

/** The types of the keys that are known for a host, so that one of them can be asked for. */
export function knownKeyTypes(entries: readonly KnownKey[], host: KnownName): ReadonlySet<string> {
  const names = [knownHostsName(host), knownHostsName({ name: host.name })];
  const mine = names.flatMap((name) => entriesOf(entries, name));
  return new Set(mine.filter((entry) => entry.marker === null).map((entry) => entry.type));
}

/** `SHA256:…` as ssh and ssh-keygen show it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** A name that does not tell which host it is, as HashKnownHosts wants it. */
export function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

function entriesOf(entries: readonly KnownKey[], name: string): readonly KnownKey[] {
  return entries.filter((entry) => matches(entry.patterns, name));
}

function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith('|')) return matchesHash(patterns, name);
  const found = patterns.split(',').map((pattern) => ({
    negated: pattern.startsWith('!'),
    fits: matchesPattern(pattern.replace(/^!/, '').toLowerCase(), name),
  }));
  // One negated pattern that fits spoils the whole line.
  return found.some(({ fits }) => fits) && !found.some(({ negated, fits }) => negated && fits);
}

function matchesHash(pattern: string, name: string): boolean {
  const [, version, salt, hash] = pattern.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === actual.length && timingSafeEqual(wanted, actual);
}

/** `*` and `?` only: brackets belong to `[host]:port`. Linear in practice, whatever the pattern. */
function matchesPattern(pattern: string, name: string): boolean {
  let [p, n, star, resume] = [0, 0, -1, 0];
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p;
      resume = n;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
