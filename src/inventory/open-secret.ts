import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { decryptValue, encryptValue, isEncrypted } from '../secrets/age.ts';
import { entryOf, withEntry } from '../secrets/entry.ts';
import { inventoryFolder } from '../secrets/generated.ts';
import { inventoryRecipients, readIdentities } from '../secrets/identity.ts';
import { fileFor, type Owner, type SecretsOf } from './secrets.ts';
import type { Secret } from '../secrets/secret.ts';
import { updateFile } from '../secrets/update.ts';

/** A secret of the inventory that is being edited. */
export interface OpenSecret {
  readonly file: string;
  readonly value: Secret;
  /** Stores another value; E_SECRET if another process has changed the secret meanwhile. */
  readonly store: (value: Secret) => Promise<void>;
}

/** Decrypts the secret `name` of a group or a host; E_SECRET if it is not set, or cannot be decrypted. */
export async function openSecret(options: SecretsOf, owner: Owner, name: string): Promise<OpenSecret> {
  const folder = await inventoryFolder(options.inventory);
  const file = await fileFor(join(folder, `${owner.kind}_vars`), owner.name, name);
  const text = await readFile(file, 'utf8').catch(() => '');
  const encrypted = entryOf(text, name, file);
  if (typeof encrypted !== 'string' || !isEncrypted(encrypted)) {
    const isThere = encrypted !== undefined;
    throw new HostwrightError(
      'E_SECRET',
      `${name} of ${owner.name} is ${isThere ? 'not encrypted' : 'not set'}`,
      {
        ...(isThere ? { place: { file } } : {}),
        hint: `hostwright secrets set ${name} stores a value`,
      },
    );
  }
  const value = await decryptValue(encrypted, await readIdentities(options.identity));
  return {
    file,
    value,
    async store(changed) {
      const after = await encryptValue(changed, await inventoryRecipients(folder, options.identity));
      await updateFile(file, async (now) => {
        if (entryOf(now, name, file) !== encrypted) {
          throw new HostwrightError('E_SECRET', `${name} was changed meanwhile`, {
            place: { file },
            hint: 'edit it again',
          });
        }
        return withEntry(now, name, after, file);
      });
    },
  };
}
