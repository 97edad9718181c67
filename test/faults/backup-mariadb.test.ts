import { afterAll, beforeAll, expect, it } from 'vitest';
import { backupSite, type BackupSite } from '../lab/backup-site.ts';

let site: BackupSite;

beforeAll(async () => {
  site = await backupSite('bmaria', '10.213.106', 'mariadb');
  const apply = await site.hostwright('apply', '--yes');
  expect(apply.code, apply.stdout + apply.stderr).toBe(0);
  await site.sql(
    'CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, note CHAR(36))',
    'INSERT INTO shop.orders (note) VALUES (UUID()), (UUID()), (UUID())',
  );
});

afterAll(async () => {
  await site.down();
});

it('a copy of MariaDB is made, listed and tested, and leaves nothing behind', async () => {
  for (const unit of ['hostwright-backup', 'hostwright-backup-test']) {
    const { code, said } = await site.start(unit);
    expect(code, said).toBe(0);
  }
  const gtid = expect.stringMatching(/^\d+-\d+-\d+/) as string;
  expect(await site.listed()).toEqual([['web1', expect.any(String), expect.any(String), 'ok', gtid]]);
  expect(await site.leftovers()).toBe('');
});

it('is restored to the time before a DROP TABLE, in the middle of a binary log', async () => {
  await site.shell('web1', 'systemctl stop hostwright-backup-logs.timer');
  expect((await site.hostwright('do', 'backup', 'now', '--yes')).code).toBe(0);
  const time = (await site.shell('web1', 'date -u +%Y-%m-%dT%H:%M:%SZ')).trim();
  await site.sql(
    `SET TIMESTAMP = ${Date.parse(time) / 1000 - 1}`,
    "INSERT INTO shop.orders (note) VALUES ('before')",
  );
  await site.sql('DROP TABLE shop.orders', 'CREATE TABLE shop.later (id INT PRIMARY KEY)');
  const words = ['backup', 'restore', 'web1', '--to', time, '--replace-writer', '--yes'];
  const done = await site.hostwright('do', ...words);
  expect(done.code, done.stdout + done.stderr).toBe(0);
  expect(await site.sql("SELECT COUNT(*), MAX(note = 'before') FROM shop.orders")).toBe('4\t1');
  expect(await site.sql('SHOW TABLES FROM shop')).toBe('orders');
  expect(await site.leftovers()).toBe('');
});
