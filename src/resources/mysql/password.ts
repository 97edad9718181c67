import { createHash, hash, randomBytes } from 'node:crypto';

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Thousands of these are made for one password: an object and a buffer for each would be most of the work. */
function sha256(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.from(hash('sha256', Buffer.concat(parts), 'binary'), 'binary');
}

/** `bytes` repeated up to a length. */
function stretched(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}

function characters(value: number, count: number): string {
  return Array.from({ length: count }, (_, index) => alphabet[(value >> (6 * index)) & 63]).join('');
}

/** The bytes of a digest in the order of the specification, six bits a character. */
function encode(digest: Buffer): string {
  const at = (index: number): number => digest[index] ?? 0;
  let [a, b, c] = [0, 10, 20];
  let text = '';
  for (let group = 0; group < 10; group += 1) {
    text += characters((at(a) << 16) | (at(b) << 8) | at(c), 4);
    [a, b, c] = [c + 1, a + 1, b + 1];
  }
  return text + characters((at(31) << 8) | at(30), 3);
}

/** SHA-crypt with SHA-256 (https://www.akkadia.org/drepper/SHA-crypt.txt), the hash alone. */
export function sha256Crypt(password: Buffer, salt: Buffer, rounds: number): string {
  const { length } = password;
  const b = sha256(password, salt, password);
  const bits = [];
  for (let rest = length; rest > 0; rest >>= 1) bits.push((rest & 1) === 1 ? b : password);
  let digest = sha256(password, salt, stretched(b, length), ...bits);
  const p = stretched(sha256(...Array.from({ length }, () => password)), length);
  const s = stretched(sha256(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => salt)), salt.length);
  for (let round = 0; round < rounds; round += 1) {
    const parts = [round % 2 === 1 ? p : digest];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    digest = sha256(...parts, round % 2 === 1 ? digest : p);
  }
  return encode(digest);
}

const saltLength = 20;
const hashLength = 43;
/** Of what a host says is its hash: what MySQL uses by itself. The format allows 4,095, some ten seconds. */
const mostThousands = 10;

/** What caching_sha2_password stores: thousands of rounds in hex, 20 bytes of salt, the hash. */
function stored(password: string, salt: Buffer, thousands: number): Buffer {
  const rounds = thousands.toString(16).toUpperCase().padStart(3, '0');
  const hash = sha256Crypt(Buffer.from(password), salt, thousands * 1000);
  return Buffer.concat([Buffer.from(`$A$${rounds}$`), salt, Buffer.from(hash)]);
}

/** A new hash for caching_sha2_password, with a salt of its own. */
export function cachingSha2(password: string): Buffer {
  const salt = [...randomBytes(saltLength)].map((byte) => alphabet[byte & 63]).join('');
  return stored(password, Buffer.from(salt), 5);
}

/**
 * True when a stored hash of caching_sha2_password is that of a password. One of more than 10,000 rounds is not
 * computed, and so that of no password.
 */
export function isCachingSha2(hash: Buffer, password: string): boolean {
  const prefix = /^\$A\$([0-9A-F]{3})\$/.exec(hash.toString('latin1'));
  if (prefix === null || hash.length !== prefix[0].length + saltLength + hashLength) return false;
  const thousands = Number.parseInt(prefix[1] ?? '', 16);
  const salt = hash.subarray(prefix[0].length, prefix[0].length + saltLength);
  return thousands <= mostThousands && stored(password, salt, thousands).equals(hash);
}

function sha1(bytes: string | Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}

/** The hash of mysql_native_password, the one that every client of MariaDB knows. */
export function nativePassword(password: string): string {
  return `*${sha1(sha1(password)).toString('hex').toUpperCase()}`;
}
