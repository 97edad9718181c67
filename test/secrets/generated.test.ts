import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readInventory } from '../../src/inventory/read.ts';
import { openGeneratedSecrets, type GeneratedSecrets } from '../../src/secrets/generated.ts';
import { readIdentities } from '../../src/secrets/identity.ts';
import { isSecret } from '../../src/secrets/secret.ts';
import { variableDecrypter } from '../../src/inventory/decrypt.ts';
import { scratchFolder } from './scratch.ts';

const hosts = 'all:\n  hosts:\n    web1:\n    web2:\n';
const password =
  (value: string): (() => Promise<string>) =>
  () =>
    Promise.resolve(value);
const needed = (values: Readonly<Record<string, string>>): Map<string, () => Promise<string>> =>
  new Map(Object.entries(values).map(([name, value]) => [name, password(value)]));

interface Setup {
  readonly folder: string;
  readonly identity: string;
  readonly generated: () => GeneratedSecrets;
  /** The secrets of web1 as the next run reads them. */
  readonly nextRun: () => Promise<Record<string, string>>;
}

function setup(files: Readonly<Record<string, string>> = {}, inventory = ''): Setup {
  const folder = scratchFolder({ 'hosts.yml': hosts, ...files });
  const identity = join(scratchFolder(), 'identity.txt');
  const path = join(folder, inventory);
  return {
    folder,
    identity,
    generated: () => openGeneratedSecrets({ inventory: path, identity }),
    nextRun: async () => {
      const { hosts: read } = await readInventory(path);
      const web1 = read.get('web1');
      const values = await variableDecrypter(() => readIdentities(identity))(web1?.vars ?? {}, new Map());
      return Object.fromEntries(
        Object.entries(values).flatMap(([name, value]) => (isSecret(value) ? [[name, value.reveal()]] : [])),
      );
    },
  };
}

describe('generated secrets', () => {
  test('of a dry run are written nowhere', async () => {
    const { folder, identity, generated } = setup();
    const values = await generated().generate(needed({ db_password: 'one' }));
    expect(values.get('db_password')?.reveal()).toBe('one');
    expect(existsSync(join(folder, 'group_vars'))).toBe(false);
    expect(existsSync(identity)).toBe(false);
  });

  test('are kept encrypted, and the next run reads them as ordinary variables', async () => {
    const { folder, generated, nextRun } = setup();
    const secrets = generated();
    await secrets.generate(needed({ db_password: 'one', app_key: 'two' }));
    await secrets.persist();
    const file = join(folder, 'group_vars/all/generated.yml');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(/^# .*\n# .*\ndb_password: age:\S+\napp_key: age:\S+\n$/);
    expect(await nextRun()).toEqual({ db_password: 'one', app_key: 'two' });
    const listed = execFileSync('ansible-inventory', ['-i', folder, '--host', 'web1'], { encoding: 'utf8' });
    expect(JSON.parse(listed)).toMatchObject({ db_password: expect.stringMatching(/^age:/) });
  });

  test('stay the same within a run', async () => {
    const { generated, nextRun } = setup();
    const secrets = generated();
    let count = 0;
    const missing = new Map([['db_password', () => Promise.resolve(`value ${(count += 1)}`)]]);
    const [first, second] = await Promise.all([secrets.generate(missing), secrets.generate(missing)]);
    expect(first.get('db_password')).toBe(second.get('db_password'));
    await secrets.persist();
    await secrets.persist();
    expect(await nextRun()).toEqual({ db_password: 'value 1' });
  });

  test('are added to those that are there, with their comments', async () => {
    const { folder, generated, nextRun } = setup({
      'group_vars/all/generated.yml': '# ours\nx: 0644 # why\n',
    });
    const secrets = generated();
    await secrets.generate(needed({ a: 'one' }));
    await secrets.persist();
    await secrets.generate(needed({ b: 'two' }));
    await secrets.persist();
    expect(readFileSync(join(folder, 'group_vars/all/generated.yml'), 'utf8')).toMatch(
      /^# ours\nx: 0644 # why\na: age:\S+\nb: age:\S+\n$/,
    );
    expect(await nextRun()).toEqual({ a: 'one', b: 'two' });
  });

  test('of two runs at once are all kept', async () => {
    const { generated, nextRun } = setup();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(
      names.map(async (name) => {
        const secrets = generated();
        await secrets.generate(needed({ [name]: `value of ${name}` }));
        await secrets.persist();
      }),
    );
    expect(await nextRun()).toEqual(Object.fromEntries(names.map((name) => [name, `value of ${name}`])));
  });

  test('that another run made first are not replaced, and nothing is written', async () => {
    const { folder, generated, nextRun } = setup();
    const [first, second] = [generated(), generated()];
    await first.generate(needed({ a: 'one' }));
    await second.generate(needed({ b: 'mine', a: 'two' }));
    await first.persist();
    const before = readFileSync(join(folder, 'group_vars/all/generated.yml'), 'utf8');
    await expect(second.persist()).rejects.toMatchObject({
      code: 'E_SECRET',
      message: 'another run has generated a value for a',
      hint: 'run the command again: it will use that value',
    });
    expect(readFileSync(join(folder, 'group_vars/all/generated.yml'), 'utf8')).toBe(before);
    expect(await nextRun()).toEqual({ a: 'one' });
  });

  test('of an inventory that is one file are kept beside it', async () => {
    const { folder, generated, nextRun } = setup({}, 'hosts.yml');
    const secrets = generated();
    await secrets.generate(needed({ a: 'one' }));
    await secrets.persist();
    expect(existsSync(join(folder, 'group_vars/all/generated.yml'))).toBe(true);
    expect(await nextRun()).toEqual({ a: 'one' });
  });

  test('never hide a group_vars/all.yml', async () => {
    const { folder, generated } = setup({ 'group_vars/all.yml': 'x: 1\n' });
    await expect(generated().generate(needed({ a: 'one' }))).rejects.toMatchObject({
      code: 'E_SECRET',
      place: { file: join(folder, 'group_vars/all.yml') },
      hint: expect.stringContaining('group_vars/all/main.yml'),
    });
    await expect(generated().generate(new Map())).resolves.toEqual(new Map());
  });

  test('that cannot be made fail with their own error', async () => {
    const { generated } = setup();
    const missing = new Map([['a', () => Promise.reject(new Error('no key'))]]);
    await expect(generated().generate(missing)).rejects.toThrow('no key');
  });
});
