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
  return isKey(key) && key.isPrivateKey() ? key : 'is not a private key';
}

export function isKey(value: unknown): value is ParsedKey {
  return typeof value === 'object' && value !== null && 'isPrivateKey' in value;
}

/** ssh2 chooses the algorithm of a signature by itself, SHA-1 among them: the key declines what is not allowed. */
function signingWithin(key: ParsedKey, policy: KeyPolicy): ParsedKey {
  const decline: (data: Buffer | string, hash?: string) => Buffer | Error = (data, hash) =>
    signatureRefusal(hash, policy) ?? key.sign(data, hash);
  // Others log in with the same key under another policy.
  const own: ParsedKey = Object.create(key);
  return Object.assign(own, { sign: decline });
}
