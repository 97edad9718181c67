import { expect, it } from 'vitest';
import { answer, behind } from '../lab/database-proxy.ts';
import type { TestHosts } from '../lab/hosts.ts';
import { cutLink } from './network-cut.ts';

const [primary, replica] = ['web2', 'web3'] as const;

const patience = { timeout: 60_000, interval: 500 };

/** Which server the applications of the whole site read from. */
export function databaseReads(site: () => TestHosts): void {
  it('a replica that hears nothing of its primary is not read from, although it believes to follow', async () => {
    const hosts = site();
    await expect.poll(() => answer(hosts, replica, '/replica'), patience).toBe('200 yes');
    const cut = hosts.shell(replica, cutLink(hosts.address(primary), 30, ['in']));
    await expect.poll(() => answer(hosts, replica, '/replica'), patience).toMatch(/^503 it is \d+ s behind$/);
    expect(await hosts.shell(replica, 'mysql --no-defaults -E', 'SHOW REPLICA STATUS;\n')).toMatch(
      /Replica_IO_Running: Yes\n[^]*Seconds_Behind_Source: 0\n/,
    );
    await expect.poll(() => behind(hosts, 3308), patience).toBe(primary);
    await cut;
    await expect.poll(() => answer(hosts, replica, '/replica'), patience).toBe('200 yes');
    await expect.poll(() => behind(hosts, 3308), patience).toBe(replica);
  });
}
