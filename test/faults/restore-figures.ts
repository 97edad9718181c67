import { expect } from 'vitest';
import type { BackupSite } from '../lab/backup-site.ts';

const doublings = 18;
const later = 2000;

const sums = (site: BackupSite): Promise<string> =>
  site.sql('CHECKSUM TABLE shop.bulk, shop.orders, shop.`odd  name` EXTENDED');

/**
 * Restores the last copy of some 270 MB, and that copy with 2,000 transactions that came later; each has the checksums
 * of its time. Says how long that took.
 */
export async function measureRestores(site: BackupSite): Promise<void> {
  // Not by the binary logs: the copy alone has them.
  await site.sql(
    'SET SESSION sql_log_bin = 0',
    'CREATE TABLE shop.bulk (id INT AUTO_INCREMENT PRIMARY KEY, bytes VARBINARY(1000))',
    'INSERT INTO shop.bulk (bytes) VALUES (RANDOM_BYTES(1000))',
    ...Array.from(
      { length: doublings },
      () => 'INSERT INTO shop.bulk (bytes) SELECT RANDOM_BYTES(1000) FROM shop.bulk',
    ),
  );
  await site.shell('web1', 'systemctl stop hostwright-backup-logs.timer');
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const began = Date.now();
    await work();
    console.log(`${what}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  };
  const bytes = await site.shell('web1', "du -sb --exclude='*bin*.[0-9]*' /var/lib/mysql | cut -f1");
  console.log(`data: ${(Number(bytes) / 1e6).toFixed(0)} MB`);
  await timed('a copy is made and stored', async () => {
    const { code, stdout, stderr } = await site.hostwright('do', 'backup', 'now', '--yes');
    expect(code, stdout + stderr).toBe(0);
  });
  const copied = { time: await passed(site), sums: await sums(site) };
  await site.sql(...Array<string>(later).fill('INSERT INTO shop.orders (note) VALUES (UUID())'));
  const written = { time: await passed(site), sums: await sums(site) };
  await site.sql('DROP TABLE shop.bulk', 'DELETE FROM shop.orders');

  await timed(`restored to a time, ${later} transactions after the copy`, () => site.restore(written.time));
  expect(await sums(site)).toBe(written.sums);
  await timed('the last copy restored', () => site.restore(copied.time));
  expect(await sums(site)).toBe(copied.sums);
}

/** A full second behind all that was written until now. */
async function passed(site: BackupSite): Promise<string> {
  const time = (await site.shell('web1', 'date -u -d "+1 second" +%Y-%m-%dT%H:%M:%SZ')).trim();
  await expect.poll(() => Date.now() > Date.parse(time) + 1000, { timeout: 10_000 }).toBe(true);
  return time;
}
