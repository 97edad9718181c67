import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectHosts } from '../../src/inventory/pattern.ts';
import { readInventory } from '../../src/inventory/read.ts';
import { isInShard, parseShard } from '../../src/inventory/shard.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/), { maxLength: 40 });

function parts(count: number): readonly { readonly index: number; readonly count: number }[] {
  return Array.from({ length: count }, (_, at) => ({ index: at + 1, count }));
}

describe('parseShard', () => {
  test('reads K/N', () => {
    expect(parseShard('2/3')).toEqual({ index: 2, count: 3 });
  });

  test.each([
    ['0/3', 'from 1/3 to 3/3'],
    ['4/3', 'from 1/3 to 3/3'],
    ['1/0', 'at least one shard'],
    ['x', 'K/N'],
    ['1', 'K/N'],
    ['-1/3', 'K/N'],
    ['1/3/5', 'K/N'],
    ['1.5/3', 'K/N'],
    ['', 'K/N'],
  ])('refuses %j', (text, expected) => {
    expect(() => parseShard(text)).toThrow(expected);
  });
});

describe('a shard', () => {
  test('has each host in exactly one of its parts', () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 12 }), (hosts, count) => {
        for (const host of hosts)
          expect(parts(count).filter((part) => isInShard(host, part))).toHaveLength(1);
      }),
    );
  });

  test('is the same on every controller and in every version', () => {
    const part = { index: 2, count: 3 };
    const hosts = Array.from({ length: 12 }, (_, at) => `web${at + 1}`);
    expect(hosts.filter((host) => isInShard(host, part))).toEqual(['web3', 'web4', 'web8', 'web11']);
  });

  test('is about as large as the others', () => {
    const hosts = Array.from({ length: 1000 }, (_, at) => `host${at}.example.com`);
    for (const part of parts(8)) {
      const size = hosts.filter((host) => isInShard(host, part)).length;
      expect(size).toBeGreaterThan(90);
      expect(size).toBeLessThan(160);
    }
  });
});

describe('selectHosts with a shard', async () => {
  const inventory = await readInventory(join(import.meta.dirname, 'fixtures/order'));
  const select = async (limit: string | undefined, index: number, count: number): Promise<string[]> =>
    (await selectHosts(inventory, 'all', { limit, shard: { index, count } })).map(({ name }) => name);

  test('divides what the limit leaves, in its order', async () => {
    const all = (await selectHosts(inventory, 'all', { limit: 'web' })).map(({ name }) => name);
    const divided = await Promise.all([1, 2, 3].map((index) => select('web', index, 3)));
    expect(divided.flat().toSorted()).toEqual(all.toSorted());
    for (const part of divided) expect(part).toEqual(all.filter((name) => part.includes(name)));
  });

  test('may leave nothing, which a limit may not', async () => {
    const sizes = await Promise.all(Array.from({ length: 40 }, (_, at) => select(undefined, at + 1, 40)));
    expect(sizes.filter((part) => part.length === 0).length).toBeGreaterThanOrEqual(33);
    await expect(select('web:!web', 1, 1)).rejects.toMatchObject({ code: 'E_PATTERN' });
  });
});
