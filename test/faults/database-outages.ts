import { expect, it } from 'vitest';
import { checksums, countingWriter, doorOfApplication, lost } from '../lab/counting-writer.ts';
import type { TestHosts } from '../lab/hosts.ts';
import { cutOff } from './network-cut.ts';

const [writer, primary, replica] = ['web1', 'web2', 'web3'] as const;

interface Outage {
  readonly what: string;
  /** Makes it happen, and ends it. */
  readonly happens: (hosts: TestHosts) => Promise<void>;
}

const outages: readonly Outage[] = [
  {
    what: 'the server of the primary is killed',
    happens: async (hosts) => {
      await hosts.shell(primary, 'kill -9 "$(pidof mysqld)"');
    },
  },
  {
    what: 'the server of the primary is restarted',
    happens: async (hosts) => {
      await hosts.shell(primary, 'systemctl restart mysql');
    },
  },
  {
    what: 'the network of the primary is cut for 15 s',
    happens: async (hosts) => {
      await hosts.shell(primary, cutOff(15));
    },
  },
];

/** What happens to the databases of the whole site while rows are written through the proxy of a host. */
export function databaseOutages(site: () => TestHosts): void {
  it.each(outages)('$what: writes go on, and none is lost', async ({ what, happens }) => {
    const hosts = site();
    const counting = await countingWriter(hosts, await doorOfApplication(hosts, writer));
    const more = async (): Promise<void> => {
      const before = await counting.count();
      await expect.poll(counting.count, { timeout: 120_000, interval: 500 }).toBeGreaterThan(before + 50);
    };
    await more();
    await happens(hosts);
    await more();
    const counted = await counting.stop();
    const missing = await lost(hosts, primary, counted);
    console.log(
      `${what}: ${counted.acknowledged.length} rows, ${missing.length} lost, ${counted.again} found by a retry, ${counted.outage.toFixed(1)} s without an acknowledgement`,
    );
    expect(missing).toEqual([]);
    // Visits of the application may go on.
    const both = async () => await Promise.all([primary, replica].map((host) => checksums(hosts, host)));
    await expect.poll(async () => new Set(await both()).size, { timeout: 120_000, interval: 1000 }).toBe(1);
  });
}
