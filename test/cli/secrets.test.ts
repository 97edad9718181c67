import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { secretsCommand } from '../../src/cli/secrets.ts';
import { readInventory } from '../../src/inventory/read.ts';
import { decryptValue } from '../../src/secrets/age.ts';
import { ensureIdentity, readIdentities } from '../../src/secrets/identity.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { scratchFolder } from '../secrets/scratch.ts';

const hosts = 'all:\n  children:\n    db:\n      hosts:\n        db1:\n';

interface Session {
  readonly folder: string;
  readonly identity: string;
  /** Runs `hostwright secrets …`; gives what it printed. `typed` is the value the user gives. */
  readonly secrets: (words: readonly string[], typed?: string) => Promise<string>;
  /** Runs `hostwright secrets edit …` with an editor that does this to the value. */
  readonly edit: (words: readonly string[], editor: (value: string) => string) => Promise<string>;
  /** The value that the inventory has for a variable, decrypted. */
  readonly stored: (host: string, name: string) => Promise<string>;
}

function session(files: Readonly<Record<string, string>> = {}): Session {
  const folder = scratchFolder({ 'hosts.yml': hosts, ...files });
  const identity = join(scratchFolder(), 'identity.txt');
  const run = async (
    words: readonly string[],
    typed: string,
    editor: (value: string) => string,
  ): Promise<string> => {
    let printed = '';
    const command = secretsCommand({
      write: (text) => {
        printed += text;
      },
      ask: () => Promise.resolve(new Secret(typed)),
      edit: (_name, value) => Promise.resolve(new Secret(editor(value.reveal()))),
      environment: { HOSTWRIGHT_IDENTITY: identity, HOSTWRIGHT_INVENTORY: folder },
    });
    await command.parseAsync([...words], { from: 'user' });
    return printed;
  };
  return {
    folder,
    identity,
    secrets: (words, typed = '') => run(words, typed, (value) => value),
    edit: (words, editor) => run(['edit', ...words], '', editor),
    stored: async (host, name) => {
      const variable = (await readInventory(folder)).hosts.get(host)?.vars[name];
      if (typeof variable !== 'string') throw new TypeError(`${name} is no text`);
      return (await decryptValue(variable, await readIdentities(identity))).reveal();
    },
  };
}

describe('secrets init', () => {
  test('makes the identity once and prints its recipient', async () => {
    const { secrets, identity } = session();
    const printed = await secrets(['init']);
    expect(printed).toMatch(/^age1[a-z0-9]+\n$/);
    expect(statSync(identity).mode & 0o777).toBe(0o600);
    expect(await secrets(['init'])).toBe(printed);
  });
});

describe('secrets set', () => {
  test('stores a value for all hosts, a group, a host', async () => {
    const { secrets, folder, stored } = session();
    expect(await secrets(['set', 'a'], 'one')).toBe(
      `a stored in ${join(folder, 'group_vars/all/secrets.yml')}\n`,
    );
    await secrets(['set', 'b', '--group', 'db'], 'two');
    await secrets(['set', 'c', '--host', 'db1'], 'three');
    expect(existsSync(join(folder, 'host_vars/db1/secrets.yml'))).toBe(true);
    expect([await stored('db1', 'a'), await stored('db1', 'b'), await stored('db1', 'c')]).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  test('takes the place of the value that is there, plain or encrypted, and leaves the rest', async () => {
    const { secrets, folder, stored } = session({
      'group_vars/all.yml': '# ours\npassword: old # why\nport: 0644\n',
    });
    const file = join(folder, 'group_vars/all.yml');
    await secrets(['set', 'password'], 'one');
    await secrets(['set', 'password'], 'two');
    await secrets(['set', 'key'], 'three');
    expect(readFileSync(file, 'utf8')).toMatch(
      /^# ours\npassword: age:\S+ # why\nport: 0644\nkey: age:\S+\n$/,
    );
    expect([await stored('db1', 'password'), await stored('db1', 'key')]).toEqual(['two', 'three']);
  });

  test('of several files of a group changes the one that counts', async () => {
    const { secrets, folder, stored } = session({
      'group_vars/all/a.yml': 'password: a\n',
      'group_vars/all/b.yml': 'password: b\n',
      'group_vars/all/c.yml': 'other: c\n',
    });
    await secrets(['set', 'password'], 'new');
    expect(readFileSync(join(folder, 'group_vars/all/a.yml'), 'utf8')).toBe('password: a\n');
    expect(await stored('db1', 'password')).toBe('new');
  });

  test.each([
    [['set', 'a b'], '"a b" is not a valid variable name'],
    [['set', 'a', '--group', 'dbs'], 'the inventory has no group dbs'],
    [['set', 'a', '--host', 'web1'], 'the inventory has no host web1'],
    [['set', 'a', '--host', 'db1', '--group', 'db'], 'a secret belongs to a group or to a host'],
  ])('%j is refused, and nothing is written', async (words, message) => {
    const { secrets, folder } = session();
    await expect(secrets(words, 'x')).rejects.toMatchObject({ code: 'E_USAGE', message });
    expect(existsSync(join(folder, 'group_vars'))).toBe(false);
  });
});

describe('secrets edit', () => {
  test('gives the editor the value, and puts the new one in its place alone', async () => {
    const { secrets, edit, folder, stored } = session({
      'group_vars/db.yml': '# ours\npassword: old # why\nport: 0644\n',
    });
    const file = join(folder, 'group_vars/db.yml');
    await secrets(['set', 'password', '--group', 'db'], 'one');
    const printed = await edit(['password', '--group', 'db'], (value) => `${value} two`);
    expect(printed).toBe(`password updated in ${file}\n`);
    expect(readFileSync(file, 'utf8')).toMatch(/^# ours\npassword: age:\S+ # why\nport: 0644\n$/);
    expect(await stored('db1', 'password')).toBe('one two');
  });

  test('writes nothing where nothing has changed', async () => {
    const { secrets, edit, folder } = session();
    await secrets(['set', 'a'], 'one');
    const file = join(folder, 'group_vars/all/secrets.yml');
    const before = readFileSync(file, 'utf8');
    expect(await edit(['a'], (value) => value)).toBe('a unchanged\n');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('does not undo what somebody else has stored meanwhile', async () => {
    const { secrets, edit, folder, stored } = session();
    await secrets(['set', 'a'], 'one');
    const mine = readFileSync(join(folder, 'group_vars/all/secrets.yml'), 'utf8');
    await secrets(['set', 'a'], 'theirs');
    const theirs = readFileSync(join(folder, 'group_vars/all/secrets.yml'), 'utf8');
    writeFileSync(join(folder, 'group_vars/all/secrets.yml'), mine);
    const edited = edit(['a'], (value) => {
      writeFileSync(join(folder, 'group_vars/all/secrets.yml'), theirs);
      return `${value} two`;
    });
    await expect(edited).rejects.toMatchObject({
      code: 'E_SECRET',
      message: 'a was changed meanwhile',
    });
    expect(await stored('db1', 'a')).toBe('theirs');
  });

  test.each([
    ['nothing', 'nothing of all is not set'],
    ['plain', 'plain of all is not encrypted'],
    ['list', 'list of all is not encrypted'],
  ])('opens no editor for %s', async (name, message) => {
    const { edit } = session({ 'group_vars/all.yml': 'plain: text\nlist: [a]\n' });
    const opened: string[] = [];
    const edited = edit([name], (value) => {
      opened.push(value);
      return value;
    });
    await expect(edited).rejects.toMatchObject({ code: 'E_SECRET', message });
    expect(opened).toEqual([]);
  });
});

describe('secrets check', () => {
  test('counts what can be decrypted and lists what looks like a password in plain text', async () => {
    const { secrets, folder } = session({
      'group_vars/db.yml': [
        'mysql_root_password: hunter2',
        'app: { api_key: hunter3 }',
        'password_file: /etc/password',
        'token: "{{ other_token }}"',
        'user_password: ""',
        'password_length: 32',
        '',
      ].join('\n'),
    });
    await secrets(['set', 'a'], 'one');
    await secrets(['set', 'b', '--host', 'db1'], 'two');
    const file = join(folder, 'group_vars/db.yml');
    const printed = await secrets(['check']);
    expect(printed).not.toMatch(/hunter/);
    expect(printed.split('\n')).toEqual([
      `${file}:1:22: mysql_root_password is in plain text; to encrypt it: hostwright secrets set mysql_root_password`,
      `${file}:2:17: api_key is in plain text; to encrypt it: hostwright secrets set api_key`,
      '2 secrets in 2 files, all can be decrypted',
      '',
    ]);
  });

  test('fails for every value that cannot be decrypted, at its place', async () => {
    const { secrets, identity, folder } = session();
    await secrets(['set', 'a'], 'hunter2');
    await secrets(['set', 'b'], 'hunter3');
    writeFileSync(identity, '', { mode: 0o600 });
    const other = join(scratchFolder(), 'identity.txt');
    await ensureIdentity(other);
    writeFileSync(identity, readFileSync(other));
    const error: unknown = await secrets(['check']).catch((thrown: unknown) => thrown);
    const file = join(folder, 'group_vars/all/secrets.yml');
    expect(error).toMatchObject({
      errors: [
        { code: 'E_SECRET', place: { file, line: 1, column: 4 } },
        { code: 'E_SECRET', place: { file, line: 2, column: 4 } },
      ],
    });
    expect(inspect(error, { depth: 20 })).not.toMatch(/hunter|AGE-SECRET|YWdl/);
  });

  test('an inventory that is not there is said', async () => {
    const { secrets } = session();
    await expect(secrets(['check', '-i', '/nowhere'])).rejects.toMatchObject({ code: 'E_INVENTORY' });
  });
});

describe('secrets rotate', () => {
  test('encrypts everything for those who are recipients now', async () => {
    const { secrets, folder, identity, stored } = session();
    await secrets(['set', 'a'], 'one');
    const quoted = readFileSync(join(folder, 'group_vars/all/secrets.yml'), 'utf8').trim().slice(3);
    writeFileSync(
      join(folder, 'hosts.yml'),
      `${hosts}      vars: { b: '${quoted}', d: ["${quoted}"] } # why\n`,
    );
    const colleague = join(scratchFolder(), 'identity.txt');
    const recipients = [await ensureIdentity(identity), await ensureIdentity(colleague)];
    writeFileSync(join(folder, 'recipients.txt'), `${recipients.join('\n')}\n`);
    expect(await secrets(['rotate'])).toBe('3 secrets re-encrypted\n');
    expect(readFileSync(join(folder, 'hosts.yml'), 'utf8')).toMatch(
      /vars: \{ b: "age:[^"]+", d: \["age:[^"]+"\] \} # why\n$/,
    );
    expect(await stored('db1', 'a')).toBe('one');
    writeFileSync(identity, readFileSync(colleague));
    expect([await stored('db1', 'a'), await stored('db1', 'b')]).toEqual(['one', 'one']);
    expect(await secrets(['check'])).toBe('3 secrets in 2 files, all can be decrypted\n');
  });

  test('changes nothing when one of them cannot be decrypted', async () => {
    const { secrets, folder } = session();
    await secrets(['set', 'a'], 'one');
    const file = join(folder, 'group_vars/all/secrets.yml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}b: age:abc\n`);
    const before = readFileSync(file, 'utf8');
    await expect(secrets(['rotate'])).rejects.toMatchObject({ code: 'E_SECRET' });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});
