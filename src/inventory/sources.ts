import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Problems } from './problems.ts';

const EXTENSIONS = ['', '.yml', '.yaml', '.json'];
const IGNORED =
  /^\.|^host_vars$|^group_vars$|^vars_plugins$|(?:\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.ini|\.cfg|\.retry)$/;

/** `file`, `folder`, or null when the path does not exist; links are followed. */
export async function kindOf(path: string): Promise<'file' | 'folder' | null> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return null;
    throw error;
  }
}

/** Names in the order of their bytes, which is Ansible's. */
async function sortedNames(folder: string): Promise<string[]> {
  return (await readdir(folder)).toSorted((one, other) =>
    Buffer.compare(Buffer.from(one), Buffer.from(other)),
  );
}

function reportExtension(path: string, problems: Problems): void {
  const ini = ['.ini', '.cfg'].includes(extname(path));
  problems.report(ini ? 'INI inventories are not supported' : 'a file is not a YAML inventory', {
    place: { file: path },
    found: `the extension ${extname(path)}`,
    expected: '.yml, .yaml, .json or no extension',
    hint: ini
      ? `convert it with \`ansible-inventory -i ${path} --list --yaml --export --output hosts.yml\``
      : 'rename it, or move it out of the inventory folder',
  });
}

async function ownVariables(folder: string): Promise<string | null> {
  for (const name of ['group_vars', 'host_vars']) {
    if ((await kindOf(join(folder, name))) === 'folder') return name;
  }
  return null;
}

/**
 * The inventory files at `path`: the file itself, or those of a folder and its subfolders in Ansible's
 * order, without those it ignores.
 */
export async function inventoryFiles(path: string, problems: Problems): Promise<string[]> {
  const kind = await kindOf(path);
  if (kind === null) {
    const hint = 'set an inventory file or folder with -i or HOSTWRIGHT_INVENTORY';
    problems.report('the inventory does not exist', { place: { file: path }, hint });
    return [];
  }
  if (kind === 'file') {
    if (EXTENSIONS.includes(extname(path))) return [path];
    reportExtension(path, problems);
    return [];
  }
  const files: string[] = [];
  for (const name of await sortedNames(path)) {
    if (IGNORED.test(name)) continue;
    const inner = join(path, name);
    const variables = (await kindOf(inner)) === 'folder' ? await ownVariables(inner) : null;
    if (variables === null) {
      files.push(...(await inventoryFiles(inner, problems)));
      continue;
    }
    // Ansible would merge its hosts and silently leave its variables out.
    problems.report('a folder inside the inventory has its own variables', {
      place: { file: inner },
      found: `${variables}/ in it`,
      expected: 'group_vars/ and host_vars/ only at the top of the inventory',
      hint: `use it as the inventory with \`-i ${inner}\`, or move ${variables}/ up into ${path}`,
    });
  }
  return files;
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const name of await sortedNames(folder)) {
    if (name.startsWith('.') || name.endsWith('~')) continue;
    const path = join(folder, name);
    const kind = await kindOf(path);
    const extension = extname(name);
    if (kind === 'folder' && extension === '') files.push(...(await filesBelow(path)));
    if (kind === 'file' && EXTENSIONS.includes(extension)) files.push(path);
  }
  return files;
}

/**
 * The files of `group_vars/NAME` or `host_vars/NAME`, later ones win: `NAME` (a file, or a folder with all
 * below it), else `NAME.yml`, `NAME.yaml`, `NAME.json`. Only the first of these that exists counts.
 */
export async function variableFiles(folder: string, name: string): Promise<string[]> {
  if (basename(name) !== name) return [];
  for (const extension of EXTENSIONS) {
    const path = join(folder, `${name}${extension}`);
    const kind = await kindOf(path);
    if (kind === 'file') return [path];
    if (kind === 'folder') return await filesBelow(path);
  }
  return [];
}

/** The groups or hosts that a folder `group_vars` or `host_vars` has variables for. */
export async function variableNames(
  folder: string,
): Promise<readonly { readonly name: string; readonly path: string }[]> {
  if ((await kindOf(folder)) !== 'folder') return [];
  const found = await Promise.all(
    (await sortedNames(folder)).map(async (entry) => {
      if (entry.startsWith('.') || entry.endsWith('~')) return [];
      const path = join(folder, entry);
      const extension = extname(entry);
      // A name may have a dot in it, as those of hosts often do.
      if ((await kindOf(path)) === 'folder') return [{ name: entry, path }];
      if (['.yml', '.yaml', '.json'].includes(extension)) return [{ name: basename(entry, extension), path }];
      return extension === '' ? [{ name: entry, path }] : [];
    }),
  );
  return found.flat();
}
