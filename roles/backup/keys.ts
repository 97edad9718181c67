import { createHmac, createPrivateKey, createPublicKey, randomBytes, type KeyObject } from 'node:crypto';
import { Secret } from 'hostwright';

/** A pair of keys for ssh (Ed25519). */
export interface SshKey {
  /** In the form of OpenSSH. */
  readonly privateKey: Secret;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

/** What PKCS #8 has before the 32 bytes of a key. */
const forms = {
  ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  x25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
};

function keyOf(form: keyof typeof forms, bytes: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([forms[form], bytes]), format: 'der', type: 'pkcs8' });
}

function publicBytes(key: KeyObject): Buffer {
  return Buffer.from(String(createPublicKey(key).export({ format: 'jwk' }).x), 'base64url');
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

/** The key of a name, always the same for a seed: each host gets its own, and none the seed. */
export function sshKey(seed: Secret, name: string): SshKey {
  const derive = (purpose: string): Buffer =>
    createHmac('sha256', seed.reveal()).update(`${purpose} ${name}`).digest();
  const bytes = derive('ssh');
  const own = publicBytes(keyOf('ed25519', bytes));
  const kind = 'ssh-ed25519';
  const blob = Buffer.concat([text(kind), text(own)]);
  const check = derive('check').subarray(0, 4);
  const body = Buffer.concat([
    ...[check, check, text(kind), text(own), text(Buffer.concat([bytes, own]))],
    text(name),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1));
  const whole = Buffer.concat([
    ...[Buffer.from('openssh-key-v1\0'), text('none'), text('none'), text(''), number(1), text(blob)],
    text(Buffer.concat([body, padding])),
  ]);
  const encoded = (whole.toString('base64').match(/.{1,70}/g) ?? []).join('\n');
  return {
    privateKey: new Secret(
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${encoded}\n-----END OPENSSH PRIVATE KEY-----\n`,
    ),
    publicKey: `${kind} ${blob.toString('base64')}`,
  };
}

const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

function polymod(values: readonly number[]): number {
  return values.reduce((sum, value) => {
    const next = ((sum & 0x1ffffff) << 5) ^ value;
    return generators.reduce(
      (mixed, generator, bit) => mixed ^ ((sum >>> (25 + bit)) & 1 ? generator : 0),
      next,
    );
  }, 1);
}

function expanded(prefix: string): readonly number[] {
  const codes = [...Buffer.from(prefix)];
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

/** Groups of bits as groups of another size; the last one is filled up with zeros. */
function regroup(values: Iterable<number>, from: number, to: number): readonly number[] {
  const bits = [...values].map((value) => value.toString(2).padStart(from, '0')).join('');
  return (bits.match(new RegExp(`.{1,${to}}`, 'g')) ?? []).map((group) =>
    Number.parseInt(group.padEnd(to, '0'), 2),
  );
}

/** Bech32 (BIP 173), without its limit of length, as age writes its keys. */
function bech32(prefix: string, bytes: Buffer): string {
  const data = regroup(bytes, 8, 5);
  const sum = polymod([...expanded(prefix), ...data, 0, 0, 0, 0, 0, 0]) ^ 1;
  const check = [25, 20, 15, 10, 5, 0].map((shift) => (sum >>> shift) & 31);
  return `${prefix}1${[...data, ...check].map((value) => letters[value]).join('')}`;
}

const ageKeyPrefix = 'age-secret-key-';
const ageKeyBytes = 32;

/** A new identity of age: `AGE-SECRET-KEY-1…`. */
export function createAgeKey(): string {
  return bech32(ageKeyPrefix, randomBytes(ageKeyBytes)).toUpperCase();
}

function bytesOf(key: string): Buffer | undefined {
  const values = Array.from(key.toLowerCase().slice(ageKeyPrefix.length + 1), (letter) =>
    letters.indexOf(letter),
  );
  const bytes = Buffer.from(
    (
      values
        .slice(0, -6)
        .map((value) => Math.max(value, 0).toString(2).padStart(5, '0'))
        .join('')
        .match(/.{8}/g) ?? []
    ).map((byte) => Number.parseInt(byte, 2)),
  );
  return bytes.length === ageKeyBytes && bech32(ageKeyPrefix, bytes).toUpperCase() === key
    ? bytes
    : undefined;
}

export function isAgeKey(key: Secret): boolean {
  return bytesOf(key.reveal().trim()) !== undefined;
}

/** Whom to encrypt to so that an identity of age can read it: `age1…`. */
export function ageRecipient(key: Secret): string {
  const bytes = bytesOf(key.reveal().trim());
  if (bytes === undefined) throw new RangeError('that is no identity of age');
  return bech32('age', publicBytes(keyOf('x25519', bytes)));
}
