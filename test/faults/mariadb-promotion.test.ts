import { afterAll, beforeAll, expect, it } from 'vitest';
import { galeraSite, type GaleraSite } from '../lab/galera-cluster.ts';

let site: GaleraSite;

beforeAll(async () => {
  site = await galeraSite('mpromote', '10.213.117', { topology: 'primary_replica' });
  await site.applied();
});

afterAll(async () => {
  await site.down();
});

const ids = (host: string) => site.sql(host, 'SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.item');

it('a replica of MariaDB takes the writes of a dead primary with all that it had received, which then follows it', async () => {
  await site.sql('web2', 'CREATE TABLE shop.item (id INT PRIMARY KEY)');
  await site.sql('web2', 'INSERT INTO shop.item VALUES (1)');
  await expect.poll(() => ids('web3'), { timeout: 10_000 }).toBe('1');
  await site.sql('web3', 'STOP SLAVE SQL_THREAD');
  await site.sql('web2', 'INSERT INTO shop.item VALUES (2)');
  await site.sql('web2', 'INSERT INTO shop.item VALUES (3)');
  expect(await ids('web3')).toBe('1');
  await site.hosts.shell('web2', 'systemctl stop mariadb');
  const done = await site.hostwright('do', 'mysql', 'promote', 'web3', '--yes', '--yes-it-is-dead');
  expect(done.code, done.stdout + done.stderr).toBe(0);
  expect(await ids('web3')).toBe('1,2,3');
  await site.sql('web3', 'INSERT INTO shop.item VALUES (4)');
  await expect.poll(() => ids('web2'), { timeout: 10_000 }).toBe('1,2,3,4');
  // Until a replica is connected to it the commits of the new primary wait for none.
  await expect.poll(async () => (await site.hostwright('plan')).code, { timeout: 20_000 }).toBe(0);
});
