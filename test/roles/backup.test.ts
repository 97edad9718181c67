import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityToRecipient } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { ageRecipient, createAgeKey, isAgeKey, sshKey } from '../../roles/backup/keys.ts';
import backup from '../../roles/backup/role.ts';
import { hostGroup, Secret, type Declared, type SiteHost } from '../../src/index.ts';
import { contextOf, ofType, resourcesOf } from '../../src/testing/index.ts';

const host = (name: string, ...groups: string[]): SiteHost => ({
  name,
  address: `10.0.0.${name.slice(-1)}`,
  groups,
});
const hosts = [host('web1', 'backup'), host('web2', 'db'), host('web3', 'db')];
const database = (name: string, role: string, flavor = 'mysql'): Declared =>
  ({
    ...{ kind: 'database', flavor, port: 3306, host: hosts.find((one) => one.name === name) ?? hosts[0] },
    role,
  }) as Declared;
const key = createAgeKey();

interface Path {
  readonly path: string;
  readonly content: string | Secret;
}

const databases = (flavor?: string): readonly Declared[] => [
  database('web2', 'primary', flavor),
  database('web3', 'replica', flavor),
];

function files(
  name: string,
  variables: object = {},
  site = hosts,
  declared = databases(),
): ReadonlyMap<string, string> {
  const resources = resourcesOf(backup, {
    variables: { backup_test_key: key, backup_ssh_seed: 'seed', ...variables },
    host: name,
    hosts: site,
    declared,
  });
  return new Map(
    (ofType(resources, 'file') as Path[]).map(({ path, content }) => [
      path,
      content instanceof Secret ? content.reveal() : content,
    ]),
  );
}

const etc = '/etc/hostwright/backup';
const settings = (name: string, variables: object = {}): string =>
  files(name, variables).get(`${etc}/backup.conf`) ?? '';

describe('the role backup', () => {
  test('has a replica make the copies, and test them with the key that no other host has', () => {
    expect(settings('web3')).toMatch(/^sends=yes$/m);
    expect(settings('web3')).toMatch(/^tests=yes$/m);
    expect(settings('web2')).toMatch(/^sends=no$/m);
    for (const name of ['web1', 'web2', 'web3']) {
      const readers = [...files(name)].filter(([, content]) => content.includes(key)).map(([path]) => path);
      expect(readers).toEqual(name === 'web3' ? [`${etc}/test.key`] : []);
    }
  });

  test('has the timers of copies and tests where these are made, and ends those of before a promotion', () => {
    const timersOf = (name: string, present: boolean): readonly string[] => {
      const resources = resourcesOf(backup, {
        ...{ variables: { backup_test_key: key, backup_ssh_seed: 'seed' }, host: name, hosts },
        declared: databases(),
      });
      return (ofType(resources, 'unit') as { name: string; absent?: boolean }[])
        .filter((unit) => unit.name.endsWith('.timer') && (unit.absent === true) !== present)
        .map((unit) => unit.name)
        .toSorted();
    };
    const [copy, logs, tests] = ['', '-logs', '-test'].map((part) => `hostwright-backup${part}.timer`);
    expect(timersOf('web3', true)).toEqual([logs, tests, copy]);
    expect(timersOf('web3', false)).toEqual([]);
    expect(timersOf('web2', true)).toEqual([logs]);
    expect(timersOf('web2', false)).toEqual([tests, copy]);
  });

  test('encrypts to the test and to those that are named', async () => {
    const other = await identityToRecipient(createAgeKey());
    expect(files('web2', { backup_recipients: [other] }).get(`${etc}/recipients`)).toBe(
      `${other}\n${await identityToRecipient(key)}\n`,
    );
  });

  test('gives the key to another host, or to none', () => {
    expect([...files('web2', { backup_test_host: 'web2' }).keys()]).toContain(`${etc}/test.key`);
    expect([...files('web3', { backup_test_host: 'none' }).keys()]).not.toContain(`${etc}/test.key`);
    expect(() => files('web3', { backup_test_host: 'web1' })).toThrow('not in the group db');
  });

  test('does nothing on hosts of other groups, and nothing without a storing host', () => {
    const site = [host('web1', 'web'), ...hosts.slice(1)];
    for (const name of ['web1', 'web2']) expect(files(name, {}, site).size).toBe(0);
  });

  test('backs up what the host declares to run, and refuses one without a database', () => {
    const conf = (declared: readonly Declared[]) =>
      files('web3', {}, hosts, declared).get(`${etc}/backup.conf`);
    expect(conf(databases())).toMatch(/^flavor=mysql$/m);
    expect(conf(databases('mariadb'))).toMatch(/^flavor=mariadb$/m);
    expect(() => conf([])).toThrow('web3 is in the group db, and has no database');
  });

  test('refuses a host that would store its own backups', () => {
    expect(() => files('web2', {}, [host('web2', 'db', 'backup')])).toThrow('backups of itself');
  });

  test('opens its port to databases, on the storing host alone', () => {
    const variables = backup.variables.parse({ backup_test_key: key, backup_ssh_seed: 'seed' });
    const listens = (name: string) => backup.listens?.(contextOf(variables, { host: name, hosts }));
    expect(listens('web1')).toEqual([{ port: 2222, from: hostGroup('db'), why: 'backups of databases' }]);
    expect(listens('web2')).toEqual([]);
  });

  test('lets each sender in with a key of its own, for one command under its own name', () => {
    const store = '/etc/hostwright/backup-store/authorized_keys';
    const allowed = (files('web1').get(store) ?? '')
      .split('\n')
      .filter((line) => line.startsWith('restrict'));
    expect(allowed).toHaveLength(2);
    for (const line of allowed) {
      const [, name = ''] =
        /^restrict,command="\/usr\/local\/lib\/hostwright\/backup-store (\w+) \d+ \d+" /.exec(line) ?? [];
      const own = files(name).get(`${etc}/ssh_key`) ?? '';
      expect(line).toContain(publicKeyOf(own));
      expect(files('web1').get('/etc/hostwright/backup-store/host_key')).not.toBe(own);
    }
    const known = files('web2').get(`${etc}/known_hosts`) ?? '';
    expect(known).toBe(
      `[10.0.0.1]:2222 ${publicKeyOf(files('web1').get('/etc/hostwright/backup-store/host_key') ?? '')}\n`,
    );
  });
});

function publicKeyOf(privateKey: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'hostwright-key-'));
  try {
    const file = join(folder, 'key');
    writeFileSync(file, privateKey, { mode: 0o600 });
    return execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' })
      .split(' ')
      .slice(0, 2)
      .join(' ');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('keys', () => {
  test('of ssh are what ssh-keygen reads, for names of any length, and always the same', () => {
    for (const name of ['a', 'web2', 'store db-12.example.org', 'x'.repeat(61)]) {
      const made = sshKey(new Secret('seed'), name);
      expect(publicKeyOf(made.privateKey.reveal())).toBe(made.publicKey);
      expect(sshKey(new Secret('seed'), name).publicKey).toBe(made.publicKey);
      expect(sshKey(new Secret('other'), name).publicKey).not.toBe(made.publicKey);
    }
  });

  test('of age are what age reads', async () => {
    for (let count = 0; count < 20; count += 1) {
      const made = createAgeKey();
      expect(ageRecipient(new Secret(made))).toBe(await identityToRecipient(made));
    }
  });

  test.each([
    '',
    'AGE-SECRET-KEY-1QQQQ',
    key.replace(/.$/, (letter) => (letter === 'Q' ? 'P' : 'Q')),
    key.toLowerCase(),
  ])('%s is no key of age', (text) => {
    expect(isAgeKey(new Secret(text))).toBe(false);
  });
});
