import { createHash } from 'node:crypto';

/** One of `count` shards of an inventory, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** `2/3`; a RangeError that says what is expected for anything else. */
export function parseShard(text: string): Shard {
  const [, index, count] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (index === undefined || count === undefined) {
    throw new RangeError('expected K/N, such as 2/3 for the second of three shards');
  }
  if (count < 1) throw new RangeError('expected at least one shard, such as 1/1');
  if (index < 1 || index > count)
    throw new RangeError(`expected a shard from 1/${count} to ${count}/${count}`);
  return { index, count };
}

/**
 * Whether a host belongs to a shard. Only its name decides: adding or removing a host moves no other host,
 * and all controllers agree.
 */
export function isInShard(host: string, { index, count }: Shard): boolean {
  return createHash('sha256').update(host).digest().readUIntBE(0, 6) % count === index - 1;
}
