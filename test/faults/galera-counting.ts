import { expect } from 'vitest';
import { checksums, countingWriter, lost, type Counted } from '../lab/counting-writer.ts';
import { counter } from '../lab/database-project.ts';
import { databases, type GaleraSite } from '../lab/galera-cluster.ts';

export interface Counting {
  /** Writes go on. */
  readonly more: () => Promise<void>;
  /** Ends it: no acknowledged row is missing on either server, and both are equal. */
  readonly isWhole: (what: string) => Promise<Counted>;
}

/** Both servers hold the same, and every row that was acknowledged. */
export async function nothingIsLost({ hosts }: GaleraSite, counted: Counted): Promise<void> {
  const both = () => Promise.all(databases.map((host) => checksums(hosts, host, 'shop')));
  await expect.poll(async () => new Set(await both()).size, { timeout: 300_000, interval: 1000 }).toBe(1);
  const missing = await Promise.all(databases.map((host) => lost(hosts, host, counted, 'shop.counted')));
  expect(missing).toEqual([[], []]);
}

/** Begins to write through the proxy of web1, with a pause in seconds between two rows of a connection. */
export async function counting(site: GaleraSite, { connections = 4, pause = 0 } = {}): Promise<Counting> {
  const writing = await countingWriter(site.hosts, counter, { connections, pause });
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
      console.log(
        `${what}: ${counted.acknowledged.length} rows, ${counted.again} found by a retry, ${counted.outage.toFixed(1)} s without an acknowledgement; errors ${JSON.stringify(counted.errors)}`,
      );
      await nothingIsLost(site, counted);
      return counted;
    },
  };
}

/** Writes while it happens, and until the cluster is whole again; then nothing is lost, and the servers are equal. */
export async function outage(
  site: GaleraSite,
  what: string,
  happens: () => Promise<unknown>,
  heal: () => Promise<unknown> = () => Promise.resolve(),
  pause = 0.02,
): Promise<Counted> {
  const writing = await counting(site, { pause });
  await happens();
  await heal();
  await writing.more();
  await site.isWhole();
  return await writing.isWhole(what);
}
