import { keyType, rsaBits } from './public-key.ts';

/** What the ssh configuration wants of keys that log in. */
export interface KeyPolicy {
  /** Bits. */
  readonly requiredRsaSize: number;
  /** Algorithms of signatures; undefined for all that are not obsolete. */
  readonly pubkeyAlgorithms: readonly string[] | undefined;
}

const rsaSignatures = { sha512: 'rsa-sha2-512', sha256: 'rsa-sha2-256', sha1: 'ssh-rsa' } as const;

function allows({ pubkeyAlgorithms }: KeyPolicy, algorithm: string): boolean {
  return pubkeyAlgorithms?.includes(algorithm) ?? algorithm !== rsaSignatures.sha1;
}

/** Why a public key may not be offered: `is ssh-rsa, which …`; undefined where it may. */
export function keyRefusal(key: Buffer, policy: KeyPolicy): string | undefined {
  const type = keyType(key);
  const algorithms = type === 'ssh-rsa' ? Object.values(rsaSignatures) : [type];
  if (!algorithms.some((algorithm) => allows(policy, algorithm))) {
    return `is ${type}, which PubkeyAcceptedAlgorithms does not allow`;
  }
  const bits = rsaBits(key);
  return bits !== undefined && bits < policy.requiredRsaSize
    ? `has ${bits} bits, fewer than RequiredRSASize ${policy.requiredRsaSize}`
    : undefined;
}

/** The error instead of a signature by this hash, which ssh2 names for RSA keys only. */
export function signatureRefusal(hash: string | undefined, policy: KeyPolicy): Error | undefined {
  if (hash === undefined || (Object.hasOwn(rsaSignatures, hash) && allows(policy, rsaSignature(hash)))) {
    return undefined;
  }
  return new Error(`PubkeyAcceptedAlgorithms does not allow ${rsaSignature(hash)}`);
}

function rsaSignature(hash: string): string {
  return Object.entries(rsaSignatures).find(([name]) => name === hash)?.[1] ?? hash;
}
