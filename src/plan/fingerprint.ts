import { createHash, scryptSync } from 'node:crypto';
import { isSecret } from '../secrets/secret.ts';

/**
 * A digest of a value that is the same for equal values only. A secret in it counts by a slow hash of what
 * it holds, so that a short one cannot be guessed from the digest. `salt` keeps digests of different files
 * from being compared.
 */
export function fingerprint(value: unknown, salt: string): string {
  const slow = new Map<string, string>();
  const hashed = (secret: string): string => {
    const known = slow.get(secret);
    if (known !== undefined) return known;
    const fresh = scryptSync(secret, salt, 32).toString('hex');
    slow.set(secret, fresh);
    return fresh;
  };
  const text = JSON.stringify(
    value,
    function masking(this: Record<string, unknown>, key: string, shown: unknown) {
      const original = this[key];
      return isSecret(original) ? { secret: hashed(original.reveal()) } : shown;
    },
  );
  return createHash('sha256').update(salt).update(text).digest('hex');
}
