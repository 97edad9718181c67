import { expect } from 'vitest';
import { checksums, countingWriter, lost, type Counted } from '../lab/counting-writer.ts';
import { counter } from '../lab/database-project.ts';
import type { GaleraSite } from '../lab/galera-cluster.ts';

export interface Counting {
  /** Writes go on. */
  readonly more: () => Promise<void>;
  /** Ends it: no acknowledged row is missing on either server, and both are equal. */
  readonly isWhole: (what: string) => Promise<Counted>;
}

/** Begins to write through the proxy of web1. */
export async function counting(site: GaleraSite, connections = 4): Promise<Counting> {
  const { hosts } = site;
  const writing = await countingWriter(hosts, counter, { connections });
  const more = async (): Promise<void> => {
    const before = await writing.count();
    await expect.poll(writing.count, { timeout: 180_000, interval: 500 }).toBeGreaterThan(before + 50);
  };
  await more();
  return {
    more,
    async isWhole(what) {
      await more();
      const counted = await writing.stop();
      const both = async () =>
        await Promise.all(['web2', 'web3'].map((host) => checksums(hosts, host, 'shop')));
      await expect.poll(async () => new Set(await both()).size, { timeout: 300_000, interval: 1000 }).toBe(1);
      const missing = await Promise.all(
        ['web2', 'web3'].map((host) => lost(hosts, host, counted, 'shop.counted')),
      );
      console.log(
        `${what}: ${counted.acknowledged.length} rows, ${missing.flat().length} lost, ${counted.again} found by a retry, ${counted.outage.toFixed(1)} s without an acknowledgement`,
      );
      expect(missing).toEqual([[], []]);
      return counted;
    },
  };
}
