import { text } from 'node:stream/consumers';
import { ReadableStream } from 'node:stream/web';
import { HostwrightError } from '../errors.ts';
import { Secret } from './secret.ts';

const prefix = 'age:';

/** Whether a string of the inventory is an encrypted value, or a damaged one. */
export function isEncrypted(value: string): boolean {
  return /^age:\S/.test(value);
}

/** Encrypts a text for recipients (`age1…`), as one line: `age:` and the age file in base64. */
export async function encryptValue(value: Secret, recipients: readonly string[]): Promise<string> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const file = await encrypter.encrypt(value.reveal());
  return prefix + Buffer.from(file).toString('base64');
}

/** The opposite of `encryptValue`; E_SECRET, without any of the value, where it cannot be done. */
export async function decryptValue(value: string, identities: readonly string[]): Promise<Secret> {
  const base64 = value.slice(prefix.length).replaceAll(/\s/g, '');
  const file = Buffer.from(base64, 'base64');
  // Node ignores invalid characters in base64.
  const isWhole = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && file.toString('base64') === base64;
  if (!isWhole || !file.toString('latin1').startsWith('age-encryption.org/v1\n')) {
    throw new HostwrightError('E_SECRET', 'the value begins with age: but is not an encrypted value', {
      hint: 'part of the value may be missing: store it again with hostwright secrets set',
    });
  }
  if (identities.length === 0) {
    throw new HostwrightError('E_SECRET', 'the value is encrypted, and this machine has no identity', {
      hint: 'copy the identity of a person who can read it, or set HOSTWRIGHT_IDENTITY to its file',
    });
  }
  // Loaded only when there is something to decrypt: it has 48 modules.
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    // As a text it would come through the HTTP client of Node, which takes longer to load than all of age.
    return new Secret(await text(await decrypter.decrypt(ReadableStream.from([file]))));
  } catch (error) {
    const isForOthers = error instanceof Error && error.message.startsWith('no identity matched');
    throw new HostwrightError(
      'E_SECRET',
      isForOthers ? 'the value is encrypted for other identities' : 'the encrypted value is damaged',
      {
        hint: isForOthers
          ? 'ask a person who can read it to add your recipient (hostwright secrets init prints it) and run hostwright secrets rotate'
          : 'store it again with hostwright secrets set',
      },
    );
  }
}
