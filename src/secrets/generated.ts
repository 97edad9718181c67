import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { encryptValue } from './age.ts';
import { hasEntry, withEntry } from './entry.ts';
import { inventoryRecipients } from './identity.ts';
import { Secret } from './secret.ts';
import type { Generate } from './schema.ts';
import { updateFile } from './update.ts';

const header = `# Secrets that nobody set, made by hostwright on first use and encrypted (age).
# Ordinary variables: to choose a value yourself, run hostwright secrets set NAME.
`;

/** Secrets that are made on first use and kept with the inventory. */
export interface GeneratedSecrets {
  /**
   * Values for variables that nobody set, by name. The same name gives the same value again. In memory only:
   * nothing is written, no identity is made.
   */
  generate(missing: ReadonlyMap<string, Generate>): Promise<ReadonlyMap<string, Secret>>;
  /**
   * Keeps what was generated, encrypted, in `group_vars/all/generated.yml`. To be called before a host gets
   * to know any of it. E_SECRET, and nothing is written, where another run made one of them meanwhile.
   */
  persist(): Promise<void>;
}

/** The folder that holds `group_vars/`: the inventory itself, or that of its file. */
export async function inventoryFolder(inventory: string): Promise<string> {
  return (await stat(inventory)).isDirectory() ? inventory : dirname(inventory);
}

/** `inventory` is the inventory's file or folder, `identity` the file of the own identity. */
export function openGeneratedSecrets(options: {
  readonly inventory: string;
  readonly identity: string;
}): GeneratedSecrets {
  const made = new Map<string, Promise<Secret>>();
  const kept = new Set<string>();

  const generate = async (missing: ReadonlyMap<string, Generate>): Promise<ReadonlyMap<string, Secret>> => {
    if (missing.size > 0) await refuseShadowing(await inventoryFolder(options.inventory));
    for (const [name, make] of missing) {
      if (!made.has(name))
        made.set(
          name,
          make().then((value) => new Secret(value)),
        );
    }
    const values = [...missing.keys()].map(async (name) => [name, await made.get(name)] as const);
    return new Map((await Promise.all(values)).flatMap(([name, value]) => (value ? [[name, value]] : [])));
  };

  const persist = async (): Promise<void> => {
    const pending = await Promise.all(
      [...made]
        .filter(([name]) => !kept.has(name))
        .map(async ([name, value]) => [name, await value] as const),
    );
    if (pending.length === 0) return;
    const folder = await inventoryFolder(options.inventory);
    const recipients = await inventoryRecipients(folder, options.identity);
    const file = join(folder, 'group_vars/all/generated.yml');
    await updateFile(file, async (before) => {
      let text = before === '' ? header : before;
      for (const [name, value] of pending) {
        if (hasEntry(text, name, file)) throw madeMeanwhile(name, file);
        text = withEntry(text, name, await encryptValue(value, recipients), file);
      }
      return text;
    });
    for (const [name] of pending) kept.add(name);
  };

  return { generate, persist };
}

function madeMeanwhile(name: string, file: string): HostwrightError {
  return new HostwrightError('E_SECRET', `another run has made a value for ${name} meanwhile`, {
    place: { file },
    hint: 'run again: it will use that value',
  });
}

/** Of `group_vars/all/` and `group_vars/all.yml` Ansible reads the folder only: making it would hide the file. */
async function refuseShadowing(folder: string): Promise<void> {
  for (const name of ['all', 'all.yml', 'all.yaml', 'all.json']) {
    const file = join(folder, 'group_vars', name);
    const found = await stat(file).catch(() => undefined);
    if (found?.isDirectory()) return;
    if (found === undefined) continue;
    throw new HostwrightError('E_SECRET', 'there is no place for generated secrets', {
      place: { file },
      expected: 'a folder group_vars/all/, which a file of that name stands in the way of',
      hint: `move ${file} to ${join(folder, 'group_vars/all/main.yml')}`,
    });
  }
}
