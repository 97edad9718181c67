import { createPrivateKey, sign } from 'node:crypto';
import ssh2, { type ParsedKey } from 'ssh2';
import { createFileCache } from './file-cache.ts';
import { keyRefusal, signatureRefusal, type KeyPolicy } from './key-policy.ts';

/** The user's own keys, read once for all hosts. */
export interface LoginKeys {
  /** A private key that can be used, or why not. */
  privateKey(file: string, policy: KeyPolicy): ParsedKey | string;
  /** The public half beside a private key: known even where the private one is encrypted. */
  publicKeys(file: string): readonly Buffer[];
}

export function createLoginKeys(): LoginKeys {
  const privateKeys = createFileCache(parsePrivateKey);
  const publicKeys = createFileCache((content) => {
    const [, base64] = content.toString('latin1').split(' ');
    return base64 === undefined ? [] : [Buffer.from(base64, 'base64')];
  });
  return {
    privateKey(file, policy) {
      const key = readable(() => privateKeys.read(file) ?? 'does not exist') ?? 'cannot be read';
      if (typeof key === 'string') return key;
      return keyRefusal(key.getPublicSSH(), policy) ?? signingWithin(key, policy);
    },
    publicKeys: (file) => readable(() => publicKeys.read(`${file}.pub`)) ?? [],
  };
}

/** ssh, too, goes on without a key that it may not read. */
function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function parsePrivateKey(content: Buffer): ParsedKey | string {
  const parsed: unknown = ssh2.utils.parseKey(content);
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) {
    if (/encrypted/i.test(key.message)) return 'is encrypted and no agent holds it';
    return `is of an unsupported type (${key.message})`;
  }
  return isKey(key) && key.isPrivateKey() ? readOnce(key) : 'is not a private key';
}

export function isKey(value: unknown): value is ParsedKey {
  return typeof value === 'object' && value !== null && 'isPrivateKey' in value;
}

/** The hashes of keys that know no other. */
const hashes: Readonly<Record<string, string | null>> = {
  'ssh-ed25519': null,
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
};

/** The key itself, but for signatures: ssh2 has OpenSSL read it for each, which takes ten times as long as to sign. */
function readOnce(key: ParsedKey): ParsedKey {
  const secret = createPrivateKey(key.getPrivatePEM());
  return withSign(key, (data, hash = hashes[key.type]) => {
    if (hash === undefined) return key.sign(data);
    try {
      return sign(hash, Buffer.from(data), secret);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  });
}

/** ssh2 chooses the algorithm of a signature by itself, SHA-1 among them: the key declines what is not allowed. */
function signingWithin(key: ParsedKey, policy: KeyPolicy): ParsedKey {
  return withSign(key, (data, hash) => signatureRefusal(hash, policy) ?? key.sign(data, hash));
}

/** A key with another `sign`; the given one stays as it is, because other hosts share it. */
function withSign(key: ParsedKey, own: (data: Buffer | string, hash?: string) => Buffer | Error): ParsedKey {
  const changed: ParsedKey = Object.create(key);
  return Object.assign(changed, { sign: own });
}
