import { createHash, createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from 'hostwright';

const marks = /^-----BEGIN (EC|RSA) PRIVATE KEY-----\n[^]+-----END \1 PRIVATE KEY-----\n?$/;

/** A new key for an account at an ACME CA (ECDSA P-256), in the form that lego reads. */
export async function createAccountKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  });
  return privateKey;
}

/** The members of a public key that RFC 7638 takes, in its order; of EC keys the first four are there, of RSA keys the others. */
const members = ['crv', 'e', 'kty', 'n', 'x', 'y'] as const;

/** The RFC 7638 thumbprint of an account key: what answers a challenge, and no secret. */
export function thumbprint(key: Secret): string {
  const jwk = createPublicKey(key.reveal()).export({ format: 'jwk' });
  const required = members.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]] as const]));
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(required)))
    .digest('base64url');
}

export function isAccountKey(key: Secret): boolean {
  if (!marks.test(key.reveal())) return false;
  try {
    return thumbprint(key) !== '';
  } catch {
    return false;
  }
}
