import { binlogStateMinus } from './binlog-state.ts';
import type { Flavor } from './sql.ts';

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** MySQL's sets: `UUID:1-4:7, UUID:TAG:2`; by UUID and tag. RangeError for another form. */
function parse(set: string): ReadonlyMap<string, readonly Range[]> {
  const ranges = new Map<string, Range[]>();
  for (const entry of set.split(',').map((text) => text.trim().toLowerCase())) {
    if (entry === '') continue;
    const [uuid = '', ...parts] = entry.split(':');
    let tag = '';
    for (const part of parts.map((text) => text.trim())) {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
      if (first === undefined || last === undefined) {
        if (!/^[a-z_]\w*$/.test(part)) throw new RangeError(`unexpected GTID "${entry}"`);
        tag = `:${part}`;
        continue;
      }
      const own = ranges.get(uuid + tag) ?? [];
      own.push({ first: BigInt(first), last: BigInt(last) });
      ranges.set(uuid + tag, own);
    }
  }
  return ranges;
}

/** What is left of a range without some others. */
function without(range: Range, others: readonly Range[]): readonly Range[] {
  return others.reduce<readonly Range[]>(
    (rest, { first, last }) =>
      rest.flatMap((one) => [
        ...(one.first < first ? [{ first: one.first, last: one.last < first ? one.last : first - 1n }] : []),
        ...(one.last > last ? [{ first: one.first > last ? one.first : last + 1n, last: one.last }] : []),
      ]),
    [range],
  );
}

/** The transactions of one set of GTIDs that are not in another one; empty where all are. */
export function gtidsMinus(flavor: Flavor, set: string, other: string): string {
  if (flavor === 'mariadb') return binlogStateMinus(set, other);
  const seen = parse(other);
  return [...parse(set)]
    .flatMap(([source, ranges]) => {
      const rest = ranges.flatMap((range) => without(range, seen.get(source) ?? []));
      const texts = rest.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
      return texts.length === 0 ? [] : [[source, ...texts].join(':')];
    })
    .join(',');
}
