import fc from 'fast-check';
import { expect } from 'vitest';
import { lost, type CountingWriter } from '../lab/counting-writer.ts';
import type { TestHosts } from '../lab/hosts.ts';
import { seed } from './moment.ts';

/** Something that takes a cluster apart. */
export interface RandomEvent {
  readonly what: string;
  /**
   * Makes it happen, and ends what has an end: power comes back, a cut heals. `number` is at random, for the host and
   * the time: `oneOf(hosts, number)`. Says what it was: `web3, for 4 s`.
   */
  readonly happens: (number: number) => Promise<string>;
}

/** A cluster that is written to meanwhile. */
export interface RandomOutages {
  readonly events: readonly RandomEvent[];
  /** What keeps the cluster from being whole; undefined where nothing does. */
  readonly judge: () => Promise<string | undefined>;
  /** What a person does once when it is not whole by itself: one `apply`. */
  readonly heal: () => Promise<void>;
  readonly writer: Pick<CountingWriter, 'count' | 'soFar'>;
  readonly hosts: TestHosts;
  /** Each of them holds, a moment later, every row that was acknowledged. */
  readonly databases: readonly string[];
  /** Seconds for it to become whole by itself, and once more after `heal`. */
  readonly patience: number;
}

export function oneOf<Value>(values: readonly Value[], number: number): Value {
  const value = values[number % values.length];
  if (value === undefined) throw new RangeError('there is nothing to choose from');
  return value;
}

/** Numbers at random, the same for each seed. */
function numbers(count: number, salt: number): readonly number[] {
  return fc.sample(fc.noBias(fc.nat(2 ** 31 - 1)), { seed: seed + salt, numRuns: count });
}

/** Whole, and rows are written: undefined; else what is missing at the end of the time. */
async function isWhole({ judge, writer, patience }: RandomOutages): Promise<string | undefined> {
  const until = performance.now() + 1000 * patience;
  let before: number | undefined;
  let missing: string | undefined;
  do {
    try {
      missing = await judge();
    } catch (error) {
      missing = String(error);
    }
    if (missing === undefined) {
      const count = await writer.count();
      if (before !== undefined && count > before) return undefined;
      before ??= count;
      missing = 'no row is written';
    }
    await new Promise((done) => setTimeout(done, 500));
  } while (performance.now() < until);
  return missing;
}

/** Rows that were acknowledged so far and that a database does not get. */
async function noneIsLost(
  { writer, hosts, databases, patience }: RandomOutages,
  story: string,
): Promise<void> {
  const counted = await writer.soFar();
  for (const host of databases) {
    const missing = () => lost(hosts, host, counted, 'shop.counted');
    await expect.poll(missing, { timeout: 1000 * patience, interval: 1000, message: story }).toEqual([]);
  }
}

/**
 * So many events, one after the other. The cluster is whole and written to before the first, and after each one again,
 * by itself or by one `heal`, and each database has all that was acknowledged; else the test fails with the seed and with what has happened so far. Gives a line about
 * each.
 */
export async function randomOutages(
  count: number,
  salt: number,
  cluster: RandomOutages,
): Promise<readonly string[]> {
  const story: string[] = [];
  expect(await isWhole(cluster), 'before the first event').toBeUndefined();
  for (const [index, number] of numbers(count, salt).entries()) {
    const event = oneOf(cluster.events, number);
    // What chose the event must not choose its host too.
    const which = await event.happens(Math.floor(number / cluster.events.length));
    const began = performance.now();
    const missing = await isWhole(cluster);
    if (missing !== undefined) await cluster.heal();
    const still = missing === undefined ? undefined : await isWhole(cluster);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const how = missing === undefined ? 'whole by itself' : `whole by one apply (${missing})`;
    const line = `${index + 1}. ${event.what}: ${which}; ${still === undefined ? how : still} after ${seconds} s`;
    story.push(line);
    console.log(line);
    const told = `HOSTWRIGHT_SEED=${seed}\n${story.join('\n')}`;
    expect(still, told).toBeUndefined();
    await noneIsLost(cluster, told);
  }
  return story;
}
