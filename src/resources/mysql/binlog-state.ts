/**
 * MariaDB's GTIDs are `domain-server-number`; a state holds the last number of each domain and server, and
 * every smaller one with it. The highest of each pair counts where several are given.
 */
function parse(state: string): ReadonlyMap<string, bigint> {
  const last = new Map<string, bigint>();
  for (const gtid of state.split(',').map((text) => text.trim())) {
    if (gtid === '') continue;
    const [, pair, number] = /^(\d+-\d+)-(\d+)$/.exec(gtid) ?? [];
    if (pair === undefined || number === undefined) throw new RangeError(`unexpected GTID "${gtid}"`);
    const value = BigInt(number);
    if (value > (last.get(pair) ?? 0n)) last.set(pair, value);
  }
  return last;
}

interface Last {
  readonly pair: string;
  readonly number: bigint;
}

/** The last transaction of each domain, whichever server wrote it: numbers go on from one server to the next. */
function lastOfDomains(state: string): ReadonlyMap<string, Last> {
  const last = new Map<string, Last>();
  for (const [pair, number] of parse(state)) {
    const [domain = ''] = pair.split('-');
    const known = last.get(domain);
    if (known === undefined || number > known.number) last.set(domain, { pair, number });
  }
  return last;
}

/** From where on a replica with this state follows. */
export function positionIn(state: string): string {
  return [...lastOfDomains(state).values()].map(({ pair, number }) => `${pair}-${number}`).join(',');
}

/** Whether a replica with the one state has not got everything of a primary with the other one. */
export function isBehindState(state: string, primary: string): boolean {
  const reached = lastOfDomains(state);
  return [...lastOfDomains(primary)].some(
    ([domain, { number }]) => number > (reached.get(domain)?.number ?? 0n),
  );
}

/** The last transactions of one state that the other has not seen; empty when it has seen all. */
export function binlogStateMinus(state: string, other: string): string {
  const seen = parse(other);
  return [...parse(state)]
    .filter(([pair, number]) => number > (seen.get(pair) ?? 0n))
    .map(([pair, number]) => `${pair}-${number}`)
    .join(',');
}
