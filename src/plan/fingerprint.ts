import { createHash, scryptSync, type Hash } from 'node:crypto';
import { isSecret } from '../secrets/secret.ts';

/** A digest of a value, in hex, that is the same for equal values only. */
export type Fingerprint = (value: unknown) => string;

/**
 * Makes digests with a `salt`, which keeps those of different files from being compared. A secret counts by a
 * slow hash of what it holds, so that a short one cannot be guessed from the digest. The bytes of a content are
 * read once, however often it comes.
 */
export function createFingerprint(salt: string): Fingerprint {
  const secrets = new Map<string, string>();
  const contents = new WeakMap<Uint8Array, string>();
  const hashed = (secret: string): string => {
    const known = secrets.get(secret) ?? scryptSync(secret, salt, 32).toString('hex');
    secrets.set(secret, known);
    return known;
  };
  const digested = (content: Uint8Array): string => {
    const known = contents.get(content) ?? createHash('sha256').update(content).digest('hex');
    contents.set(content, known);
    return known;
  };
  // Each part says what it is and how long, so that no two values give the same bytes.
  const feed = (hash: Hash, value: unknown): void => {
    if (typeof value === 'string') hash.update(`text ${value.length} `).update(value);
    else if (typeof value !== 'object' || value === null) hash.update(`${typeof value} ${String(value)} `);
    else if (isSecret(value)) hash.update(`secret ${hashed(value.reveal())} `);
    else if (value instanceof Uint8Array) hash.update(`bytes ${digested(value)} `);
    else {
      const entries = Object.entries(value);
      hash.update(`${Array.isArray(value) ? 'list' : 'map'} ${entries.length} `);
      for (const [name, inner] of entries) {
        feed(hash, name);
        feed(hash, inner);
      }
    }
  };
  return (value) => {
    const hash = createHash('sha256').update(salt);
    feed(hash, value);
    return hash.digest('hex');
  };
}
