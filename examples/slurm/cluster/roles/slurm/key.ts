import { createPublicKey, generateKeyPairSync } from 'node:crypto';

/** A private key of Ed25519 as PEM, which ssh of Debian 13 reads as it is. */
export function newKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A field of the wire format of SSH: its length, then its bytes. */
function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The public key as it stands in authorized_keys. */
export function publicKey(privateKey: string): string {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const name = 'ssh-ed25519';
  const blob = Buffer.concat([field(Buffer.from(name)), field(Buffer.from(x, 'base64url'))]);
  return `${name} ${blob.toString('base64')}`;
}
