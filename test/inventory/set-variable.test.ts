import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readInventory } from '../../src/inventory/read.ts';
import { readExtraVars } from '../../src/inventory/extra.ts';
import { settingEdits, writeEdit } from '../../src/inventory/set-variable.ts';
import { tree } from './tree.ts';

const hosts = 'all:\n  children:\n    db: { hosts: { db1: , db2: } }\n    web: { hosts: { web1: } }\n';
const setting = { name: 'mysql_primary', value: 'db2', group: 'db' };

/** The files that change, by their paths in the inventory. */
async function edits(files: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const folder = tree({ 'hosts.yml': hosts, ...files });
  const found = await settingEdits(await readInventory(folder), setting);
  for (const edit of found) await writeEdit(edit);
  const inventory = await readInventory(folder);
  for (const name of ['db1', 'db2']) expect(inventory.hosts.get(name)?.vars['mysql_primary']).toBe('db2');
  return Object.fromEntries(found.map(({ file, after }) => [file.slice(folder.length + 1), after]));
}

describe('a variable of a group', () => {
  it('is set in the file that has the value the host uses', async () => {
    const all = { 'group_vars/all.yml': 'mysql_primary: db1\n' };
    expect(await edits(all)).toEqual({ 'group_vars/all.yml': 'mysql_primary: db2\n' });
    const db = {
      'group_vars/db/a.yml': 'mysql_primary: x\n',
      'group_vars/db/b.yml': '# b\nmysql_primary: db1\n',
    };
    expect(await edits({ ...all, ...db })).toEqual({ 'group_vars/db/b.yml': '# b\nmysql_primary: db2\n' });
    const inline = hosts
      .replace('db1: ,', 'db1: { mysql_primary: db1 },')
      .replace('db2: }', 'db2: { mysql_primary: db1 } }');
    expect(await edits({ ...all, 'hosts.yml': inline })).toEqual({
      'hosts.yml': inline.replaceAll('mysql_primary: db1', 'mysql_primary: db2'),
    });
  });

  it('is added to the variables of the group where no file has it', async () => {
    expect(await edits({})).toEqual({ 'group_vars/db.yml': 'mysql_primary: db2\n' });
    expect(await edits({ 'group_vars/db.yaml': '# us\n' })).toEqual({
      'group_vars/db.yaml': '# us\nmysql_primary: db2\n',
    });
    expect(await edits({ 'group_vars/db/x.yml': 'a: 1\n', 'group_vars/db/main.yml': 'b: 1\n' })).toEqual({
      'group_vars/db/main.yml': 'b: 1\nmysql_primary: db2\n',
    });
    expect(await edits({ 'group_vars/db/secrets.yml': 'a: 1\n' })).toEqual({
      'group_vars/db/main.yml': 'mysql_primary: db2\n',
    });
  });

  it('that has the value needs no change', async () => {
    expect(await edits({ 'group_vars/all.yml': 'mysql_primary: db2\n' })).toEqual({});
  });

  it('that the command line sets is refused', async () => {
    const folder = tree({ 'hosts.yml': hosts });
    const inventory = await readInventory(folder, { extraVars: await readExtraVars(['mysql_primary=db1']) });
    await expect(settingEdits(inventory, setting)).rejects.toMatchObject({ code: 'E_USAGE' });
  });

  it('is not written over what somebody else has written meanwhile', async () => {
    const folder = tree({ 'hosts.yml': hosts, 'group_vars/db.yml': 'mysql_primary: db1\n' });
    const [edit] = await settingEdits(await readInventory(folder), setting);
    const file = join(folder, 'group_vars/db.yml');
    await writeFile(file, 'mysql_primary: db1\nother: 1\n');
    await expect(edit && writeEdit(edit)).rejects.toMatchObject({ code: 'E_INVENTORY', place: { file } });
    expect(await readFile(file, 'utf8')).toBe('mysql_primary: db1\nother: 1\n');
  });
});
