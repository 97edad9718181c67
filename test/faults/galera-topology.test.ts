import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { galeraSite, type GaleraSite } from '../lab/galera-cluster.ts';
import { counting } from './galera-counting.ts';

let site: GaleraSite;

beforeAll(async () => {
  site = await galeraSite('galeraswap', '10.213.109', { proxies: true, topology: 'primary_replica' });
  await site.applied();
});

afterAll(async () => {
  await site.down();
});

async function backup(...words: readonly string[]): Promise<void> {
  const done = await site.hostwright('do', 'backup', ...words, '--yes');
  expect(done.code, done.stdout + done.stderr).toBe(0);
}

describe('a running primary and its replica', () => {
  it('stay as they are while the replica has what the primary lacks', async () => {
    await site.sql('web3', 'CREATE TABLE shop.own (id INT PRIMARY KEY)');
    await site.declare('group');
    const refused = await site.hostwright('apply', '--yes');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('web3 has transactions that web2 lacks');
    expect(await site.sql('web2', 'SELECT @@wsrep_on, @@read_only')).toBe('0\t0');
    expect(await site.sql('web3', 'SHOW TABLES FROM shop')).toContain('own');
  });

  it('become a group while rows are written, once that is given up: none is lost, and both are equal', async () => {
    const [, gtids = ''] = /lacks[^:]*: ([\d,-]+)/.exec((await site.hostwright('plan')).stdout) ?? [];
    await site.declare('group', { mysql_discard_transactions: gtids });
    const writing = await counting(site, { connections: 1 });
    await site.becomes();
    await site.isWhole();
    await writing.isWhole('from primary_replica to group');
    expect(await site.sql('web3', 'SHOW TABLES FROM shop')).not.toContain('own');
  });

  it('become a primary and a replica again, the replica first', async () => {
    await site.sql('web2', 'CREATE TABLE shop.kept (id INT PRIMARY KEY)');
    await backup('now');
    await site.declare('primary_replica');
    const writing = await counting(site, { connections: 1 });
    await site.becomes();
    await writing.isWhole('from group to primary_replica');
    expect(await site.sql('web2', 'SELECT @@wsrep_on, @@read_only')).toBe('0\t0');
    expect(await site.sql('web3', 'SELECT @@wsrep_on, @@read_only')).toBe('0\t1');
  });

  it('are restored to a time from a copy of the group, and become one again without what came later', async () => {
    const { shell } = site.hosts;
    // A log that begins now would begin after the row that is said to be older.
    await Promise.all(
      ['web2', 'web3'].map((host) => shell(host, 'systemctl stop hostwright-backup-logs.timer')),
    );
    const time = (await shell('web2', 'date -u +%Y-%m-%dT%H:%M:%SZ')).trim();
    const before = Date.parse(time) / 1000 - 1;
    await site.sql('web2', `SET TIMESTAMP = ${before}; INSERT INTO shop.kept VALUES (1)`);
    await site.sql('web2', 'DROP TABLE shop.kept');
    await backup('restore', 'web2', '--to', time, '--replace-writer');
    expect(await site.sql('web2', 'SELECT id FROM shop.kept')).toBe('1');

    await shell('web1', 'systemctl disable --quiet --now garb');
    await site.declare('group');
    const refused = await site.hostwright('apply', '--yes');
    expect(refused.code).toBe(1);
    const [, gtids = ''] = /lacks[^:]*: ([\d,-]+)/.exec(refused.stdout) ?? [];
    await site.declare('group', { mysql_discard_transactions: gtids });
    const writing = await counting(site, { connections: 1 });
    await site.becomes();
    await site.isWhole();
    await writing.isWhole('from primary_replica to group, after a restore');
    expect(await site.sql('web3', 'SELECT id FROM shop.kept')).toBe('1');
  });
});
