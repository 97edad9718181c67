import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { LineCounter, isScalar, parseDocument, visit } from 'yaml';
import { HostwrightError, HostwrightErrors, type FilePlace } from '../errors.ts';
import { variableFiles } from './sources.ts';
import { decryptValue, encryptValue, isEncrypted } from '../secrets/age.ts';
import { hasEntry, withEntry } from '../secrets/entry.ts';
import { inventoryFolder } from '../secrets/generated.ts';
import { inventoryRecipients, readIdentities } from '../secrets/identity.ts';
import type { Secret } from '../secrets/secret.ts';
import { updateFile } from '../secrets/update.ts';

/** An inventory, its file or folder, with the file of the own identity. */
export interface SecretsOf {
  readonly inventory: string;
  readonly identity: string;
}

/** The YAML files of an inventory and its variables, without those that Ansible ignores. */
async function yamlFiles(inventory: string): Promise<string[]> {
  if ((await stat(inventory)).isDirectory()) return await filesBelow(inventory);
  const besides = ['group_vars', 'host_vars'].map((name) => join(dirname(inventory), name));
  return [inventory, ...(await Promise.all(besides.map(filesBelow))).flat()];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() && ['', '.yml', '.yaml', '.json'].includes(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !path
          .slice(folder.length)
          .split('/')
          .some((name) => /^\.|~$/.test(name)),
    )
    .toSorted();
}

interface FoundValue {
  /** The nearest name above it. */
  readonly name: string;
  readonly value: string;
  readonly place: FilePlace;
  /** The offsets in the text of the file that hold it, quotes included. */
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

/** Every single value in the text of a YAML file; none where the file is no YAML. */
function valuesIn(text: string, file: string): FoundValue[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', lineCounter });
  if (document.errors.length > 0) return [];
  const found: FoundValue[] = [];
  visit(document, {
    Pair: (_key, { key, value }) => {
      if (isScalar(key) && isScalar(value)) add(String(key.value), value);
    },
    Seq: (_key, { items }) => {
      for (const item of items) if (isScalar(item)) add('', item);
    },
  });
  return found;

  function add(name: string, node: { value: unknown; range?: unknown; type?: unknown }): void {
    if (typeof node.value !== 'string' || !Array.isArray(node.range)) return;
    const [start, end]: unknown[] = node.range;
    if (typeof start !== 'number' || typeof end !== 'number') return;
    const { line, col } = lineCounter.linePos(start);
    const quoted = String(node.type).startsWith('QUOTE');
    found.push({ name, value: node.value, place: { file, line, column: col }, start, end, quoted });
  }
}

/** The result of `hostwright secrets check`. */
export interface SecretsCheck {
  readonly encrypted: number;
  readonly files: number;
  /** Values in plain text with a name like that of a password. */
  readonly plain: readonly { readonly name: string; readonly place: FilePlace }[];
}

const secretName = /(?:^|_)(?:pass|password|passwd|passphrase|secret|token|api_?key|private_?key)$/i;

function isPlainSecret({ name, value }: FoundValue): boolean {
  return (
    secretName.test(name) &&
    value !== '' &&
    !/^(?:null|~|true|false|yes|no)$/i.test(value) &&
    !/\{\{|^\//.test(value)
  );
}

/** Decrypts every encrypted value of an inventory. E_SECRET for all that cannot be, each with its place. */
export async function checkSecrets({ inventory, identity }: SecretsOf): Promise<SecretsCheck> {
  const files = await yamlFiles(inventory);
  const values = (
    await Promise.all(files.map(async (file) => valuesIn(await readFile(file, 'utf8'), file)))
  ).flat();
  const encrypted = values.filter(({ value }) => isEncrypted(value));
  const identities = encrypted.length > 0 ? await readIdentities(identity) : [];
  const errors: HostwrightError[] = [];
  for (const found of encrypted) {
    try {
      await decryptValue(found.value, identities);
    } catch (error) {
      errors.push(withPlace(error, found));
    }
  }
  const [first] = errors;
  if (first) throw errors.length === 1 ? first : new HostwrightErrors(errors);
  const plain = values.filter((value) => !isEncrypted(value.value) && isPlainSecret(value));
  return {
    encrypted: encrypted.length,
    files: new Set(encrypted.map(({ place }) => place.file)).size,
    plain: plain.map(({ name, place }) => ({ name, place })),
  };
}

function withPlace(error: unknown, { name, place }: FoundValue): HostwrightError {
  if (!(error instanceof HostwrightError)) throw error;
  return new HostwrightError('E_SECRET', name === '' ? error.message : `variable ${name}: ${error.message}`, {
    place,
    hint: error.hint,
  });
}

/** Re-encrypts every encrypted value of an inventory for its current recipients. Returns their number. */
export async function rotateSecrets(options: SecretsOf): Promise<number> {
  const { encrypted } = await checkSecrets(options);
  const identities = await readIdentities(options.identity);
  const recipients = await inventoryRecipients(await inventoryFolder(options.inventory), options.identity);
  for (const file of encrypted > 0 ? await yamlFiles(options.inventory) : []) {
    if (!valuesIn(await readFile(file, 'utf8'), file).some(({ value }) => isEncrypted(value))) continue;
    await updateFile(file, async (text) => {
      let changed = '';
      let copied = 0;
      for (const found of valuesIn(text, file).toSorted((a, b) => a.start - b.start)) {
        if (!isEncrypted(found.value)) continue;
        const value = await encryptValue(await decryptValue(found.value, identities), recipients);
        const lineEnd = text.slice(found.start, found.end).endsWith('\n') ? '\n' : '';
        changed += text.slice(copied, found.start) + (found.quoted ? JSON.stringify(value) : value) + lineEnd;
        copied = found.end;
      }
      return changed + text.slice(copied);
    });
  }
  return encrypted;
}

/** Whose variable a secret is: that of a group or of a host. */
export interface Owner {
  readonly kind: 'group' | 'host';
  readonly name: string;
}

/**
 * Stores a secret, encrypted: in the file that already sets the variable, or in `secrets.yml` of the owner.
 * Returns the path of the file.
 */
export async function storeSecret(
  options: SecretsOf,
  owner: Owner,
  name: string,
  value: Secret,
): Promise<string> {
  const folder = await inventoryFolder(options.inventory);
  const recipients = await inventoryRecipients(folder, options.identity);
  const file = await fileFor(join(folder, `${owner.kind}_vars`), owner.name, name);
  const encrypted = await encryptValue(value, recipients);
  await updateFile(file, (text) => Promise.resolve(withEntry(text, name, encrypted, file)));
  return file;
}

/** The file below `group_vars` or `host_vars` that sets the variable, or the one to add it to. */
export async function fileFor(folder: string, owner: string, name: string): Promise<string> {
  const files = await variableFiles(folder, owner);
  // Of several files in a folder the last one that sets a variable wins.
  for (const file of files.toReversed()) if (hasEntry(await readFile(file, 'utf8'), name, file)) return file;
  const [only] = files;
  const isFile = only !== undefined && dirname(only) === folder && basename(only).startsWith(owner);
  return isFile ? only : join(folder, owner, 'secrets.yml');
}
