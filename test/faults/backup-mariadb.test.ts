import { afterAll, beforeAll, expect, it } from 'vitest';
import { backupSite, type BackupSite } from '../lab/backup-site.ts';
import { measureRestores } from './restore-figures.ts';

let site: BackupSite;

beforeAll(async () => {
  site = await backupSite('bmaria', '10.213.106', 'mariadb');
});

afterAll(async () => {
  await site.down();
});

it('a copy of MariaDB is made, listed and tested, and leaves nothing behind', async () => {
  expect(await site.copied()).toContain('2 tables are equal');
  const gtid = expect.stringMatching(/^\d+-\d+-\d+/) as string;
  expect(await site.listed()).toEqual([['web1', expect.any(String), expect.any(String), 'ok', gtid]]);
  expect(await site.leftovers()).toBe('');
});

it('is restored to the time before a DROP TABLE, in the middle of a binary log', async () => {
  const time = await site.dropped();
  await site.sql('CREATE TABLE shop.later (id INT PRIMARY KEY)');
  await site.restore(time);
  expect(await site.orders()).toBe('4\t1');
  expect(await site.sql('SHOW TABLES FROM shop')).toBe('odd  name\norders');
  expect(await site.leftovers()).toBe('');
});

// The names of its binary logs come once more after the restore above.
it('is restored from a copy of after a restore, to its time and to a later one', () => measureRestores(site));
