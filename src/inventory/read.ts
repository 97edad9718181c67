import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { newDraft, reconcile } from './draft.ts';
import type { Definitions, Draft } from './draft.ts';
import type { Inventory } from './model.ts';
import { settleGroups, settleHosts } from './precedence.ts';
import { collectProblems } from './problems.ts';
import type { Problems } from './problems.ts';
import { readSections, readVariables } from './sections.ts';
import { didYouMean } from '../suggestion.ts';
import { inventoryFiles, kindOf, variableFiles, variableNames } from './sources.ts';
import { describe, readYaml } from './yaml.ts';

export interface ReadOptions {
  /** Variables of the command line; they win over all others. */
  readonly extraVars?: Definitions;
}

/** Where variables given with `-e` stand. */
export const COMMAND_LINE = '--extra-vars';

async function readInventoryFile(file: string, draft: Draft, problems: Problems): Promise<boolean> {
  const text = await readFile(file, 'utf8');
  const place = { file, line: 1, column: 1 };
  if (text.startsWith('#!')) {
    const hint = `convert it to YAML with \`ansible-inventory -i ${file} --list --yaml --export --output hosts.yml\``;
    problems.report('inventory scripts are not supported', {
      place,
      found: text.split('\n', 1)[0] ?? '',
      hint,
    });
    return true;
  }
  const ini = text.split('\n').findIndex((line) => /^\[[\w.:-]+\]\s*(?:#.*)?$/.test(line));
  if (ini >= 0) {
    problems.report('INI inventories are not supported', {
      place: { file, line: ini + 1, column: 1 },
      found: text.split('\n')[ini]?.trim() ?? '',
      expected: 'a YAML inventory',
      hint: `convert it with \`ansible-inventory -i ${file} --list --yaml --export --output hosts.yml\``,
    });
    return true;
  }
  const top = readYaml(text, file, problems);
  if (top !== null) readSections(top, { draft, problems, file });
  return top !== null;
}

async function readVariableFiles(folder: string, name: string, problems: Problems): Promise<Definitions> {
  const definitions: Definitions = new Map();
  for (const file of await variableFiles(folder, name)) {
    const top = readYaml(await readFile(file, 'utf8'), file, problems);
    if (top === null) continue;
    if (top.kind === 'map') {
      readVariables(top.entries, definitions, problems);
      continue;
    }
    problems.report('a variables file must be a mapping', {
      place: top.place,
      found: describe(top),
      expected: 'a mapping, one `name: value` per line',
      hint: top.kind === 'list' ? 'remove the dashes' : 'write `name: value`',
    });
  }
  return definitions;
}

async function readFolder(
  folder: string,
  names: Iterable<string>,
  problems: Problems,
): Promise<Map<string, Definitions>> {
  const definitions = new Map<string, Definitions>();
  if ((await kindOf(folder)) !== 'folder') return definitions;
  for (const name of names) definitions.set(name, await readVariableFiles(folder, name, problems));
  return definitions;
}

function reportSharedNames(draft: Draft, problems: Problems): void {
  for (const [name, { place }] of draft.hosts) {
    const group = draft.groups.get(name);
    if (group === undefined) continue;
    // Ansible only warns, and gives the variables of the host to the group.
    problems.report(`${name} is both a host and a group`, {
      place,
      found: `host ${name}${group.place?.line === undefined ? '' : `, and a group of that name at ${group.place.file}:${group.place.line}`}`,
      expected: 'different names for hosts and groups',
      hint: 'rename the host or the group',
    });
  }
}

/** The names of all inventories in a folder: they share the `group_vars/` and `host_vars/` beside them. */
async function readNeighbours(folder: string): Promise<Draft> {
  const draft = newDraft();
  // Their errors show when they are selected.
  const problems = collectProblems('E_INVENTORY');
  for (const file of await inventoryFiles(folder, problems)) await readInventoryFile(file, draft, problems);
  return draft;
}

/** Variables for unknown groups and hosts: most of these names are misspelt. */
async function reportStrangers(base: string, draft: Draft, problems: Problems): Promise<void> {
  let neighbours: Draft | undefined;
  for (const [folder, what] of [
    ['group_vars', 'group'],
    ['host_vars', 'host'],
  ] as const) {
    const known = (of: Draft): ReadonlyMap<string, unknown> => (what === 'group' ? of.groups : of.hosts);
    for (const { name, path } of await variableNames(join(base, folder))) {
      if (known(draft).has(name)) continue;
      neighbours ??= await readNeighbours(base);
      if (known(neighbours).has(name)) continue;
      const hint =
        didYouMean(name, known(draft).keys()) ??
        `add the ${what} to the inventory (it may be empty), or remove ${folder}/${basename(path)}`;
      problems.report(`the inventory has no ${what} ${name}`, { place: { file: path }, hint });
    }
  }
}

/**
 * Reads the inventory at `path`, a YAML file or a folder of them, with the variables beside it. Throws
 * E_INVENTORY or E_VARIABLE, several as HostwrightErrors.
 */
export async function readInventory(path: string, options: ReadOptions = {}): Promise<Inventory> {
  const problems = collectProblems('E_INVENTORY');
  const draft = newDraft();
  const files = await inventoryFiles(path, problems);
  let found = false;
  for (const file of files) found = (await readInventoryFile(file, draft, problems)) || found;
  if (!found && problems.count() === 0) {
    const hint = 'write `all:`, below it `hosts:`, below that one host per line';
    problems.report('the inventory is empty', {
      place: { file: path },
      expected: 'at least one group',
      hint,
    });
  }
  reconcile(draft);
  reportSharedNames(draft, problems);
  const kind = await kindOf(path);
  const base = kind === 'folder' ? path : dirname(path);
  if (kind !== null) await reportStrangers(base, draft, problems);
  const besides = {
    groups: await readFolder(join(base, 'group_vars'), draft.groups.keys(), problems),
    hosts: await readFolder(join(base, 'host_vars'), draft.hosts.keys(), problems),
    extra: options.extraVars ?? new Map(),
  };
  problems.throwAny();
  return { source: path, hosts: settleHosts(draft, besides), groups: settleGroups(draft, besides) };
}
