import { createHash } from 'node:crypto';

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

/** `SHA256:…` as ssh and ssh-keygen show it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
