import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HostwrightError, type FilePlace } from '../errors.ts';
import { inventoryFolder } from '../secrets/generated.ts';
import { updateFile } from '../secrets/update.ts';
import { withAdded, withVariable, type NewValue } from './edit.ts';
import { hostNames } from './groups.ts';
import type { Inventory } from './model.ts';
import { COMMAND_LINE } from './read.ts';
import { kindOf, variableFiles } from './sources.ts';

/** A variable that the hosts of a group are to have. */
export interface Setting {
  readonly name: string;
  readonly value: NewValue;
  readonly group: string;
}

/** A file of the inventory before and after a change; `null` for one that is not there. */
export interface FileEdit {
  readonly file: string;
  readonly before: string | null;
  readonly after: string;
}

async function textOf(file: string): Promise<string | null> {
  return (await kindOf(file)) === null ? null : await readFile(file, 'utf8');
}

/** Where the hosts of a group have the variable from, each place once; undefined where one of them has it not. */
function placesOf(inventory: Inventory, { name, value, group }: Setting): readonly (FilePlace | undefined)[] {
  const hosts = hostNames(inventory.groups, group).flatMap((host) => inventory.hosts.get(host) ?? []);
  const places = hosts.filter((host) => host.vars[name] !== value).map((host) => host.places.get(name));
  const distinct = [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
  // From the end of a file to its beginning: a change may take lines away.
  return distinct.toSorted((one, other) => (other?.line ?? 0) - (one?.line ?? 0));
}

/** The file of the group's variables to add one to. */
async function fileOf(inventory: Inventory, group: string): Promise<string> {
  const folder = join(await inventoryFolder(inventory.source), 'group_vars');
  const files = await variableFiles(folder, group);
  const isFolder = (await kindOf(join(folder, group))) === 'folder';
  if (isFolder)
    return files.find((file) => /^main\.ya?ml$/.test(basename(file))) ?? join(folder, group, 'main.yml');
  return files[0] ?? join(folder, `${group}.yml`);
}

/**
 * The changes to the inventory after which the hosts of a group have the value: where each of them has it from now,
 * else in the variables of the group. Writes nothing. E_INVENTORY with the place where that cannot be done.
 */
export async function settingEdits(inventory: Inventory, setting: Setting): Promise<readonly FileEdit[]> {
  const edits = new Map<string, FileEdit>();
  for (const place of placesOf(inventory, setting)) {
    if (place?.file === COMMAND_LINE) {
      throw new HostwrightError(
        'E_USAGE',
        `${setting.name} is to be changed in the inventory, and -e sets it`,
        {
          hint: `remove ${setting.name} from the command line`,
        },
      );
    }
    const file = place?.file ?? (await fileOf(inventory, setting.group));
    const before = edits.get(file)?.before ?? (await textOf(file));
    const text = edits.get(file)?.after ?? before ?? '';
    const { name, value } = setting;
    const after =
      place === undefined ? withAdded(text, name, value, file) : withVariable(text, name, value, place);
    edits.set(file, { file, before, after });
  }
  return [...edits.values()];
}

/** Writes a change, whole or not at all; E_INVENTORY where somebody has changed the file meanwhile. */
export async function writeEdit({ file, before, after }: FileEdit): Promise<void> {
  await updateFile(file, async (now) => {
    if (now === (before ?? '')) return after;
    throw new HostwrightError('E_INVENTORY', 'the file was changed meanwhile', {
      place: { file },
      hint: 'run the same command again',
    });
  });
}
