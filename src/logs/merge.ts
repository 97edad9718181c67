import type { Entry } from './entry.ts';

/** What a host sends: entries in the order of its journal; an empty list says that what comes now is new. */
export type Source = AsyncIterable<readonly Entry[]>;

interface Held {
  readonly entry: Entry;
  /** Milliseconds of `performance.now()`. */
  readonly arrived: number;
}

interface Lane {
  held: readonly Held[];
  /** Of the first of `held` that was not taken. */
  at: number;
  isCaughtUp: boolean;
  isOver: boolean;
}

export interface MergeOptions {
  /** Milliseconds that a new entry waits for older ones of other hosts; without it, as long as it takes. */
  readonly patience?: number;
  /** The same while a host has not sent what it had at the start. */
  readonly startPatience?: number;
}

/** Entries that one host may be ahead; it is not asked for more before they are taken. */
const mostHeld = 5000;
const mostAtOnce = 1000;

function first(lane: Lane): Held | undefined {
  return lane.held[lane.at];
}

/**
 * Merges the journals of hosts by time, several entries at a time. The order of one host stays as it is, also where
 * its clock has jumped. Rejects with the first error of a source.
 */
export async function* mergeByTime(
  sources: readonly Source[],
  { patience, startPatience = patience }: MergeOptions = {},
): AsyncGenerator<readonly Entry[]> {
  const lanes = sources.map((): Lane => ({ held: [], at: 0, isCaughtUp: false, isOver: false }));
  let wake = (): void => undefined;
  let failure: { readonly error: unknown } | undefined;
  const room = new Map<Lane, () => void>();

  const pump = async (source: Source, lane: Lane): Promise<void> => {
    try {
      for await (const entries of source) {
        if (entries.length === 0) lane.isCaughtUp = true;
        else {
          const arrived = performance.now();
          lane.held = [...lane.held.slice(lane.at), ...entries.map((entry) => ({ entry, arrived }))];
          lane.at = 0;
        }
        wake();
        if (lane.held.length - lane.at >= mostHeld) {
          await new Promise<void>((resolve) => {
            room.set(lane, resolve);
          });
        }
      }
    } catch (error) {
      failure ??= { error };
    } finally {
      lane.isOver = true;
      wake();
    }
  };

  /** Milliseconds until the oldest entry need not wait any more; 0 when it may be shown. */
  const due = (oldest: Held): number => {
    const waiting = lanes.filter((lane) => !lane.isOver && first(lane) === undefined);
    if (waiting.length === 0) return 0;
    const most = waiting.every(({ isCaughtUp }) => isCaughtUp) ? patience : startPatience;
    return most === undefined ? Infinity : Math.max(0, oldest.arrived + most - performance.now());
  };

  const oldestLane = (): Lane | undefined => {
    let oldest: Lane | undefined;
    for (const lane of lanes) {
      const held = first(lane);
      const before = oldest === undefined ? undefined : first(oldest);
      if (held !== undefined && (before === undefined || held.entry.time < before.entry.time)) oldest = lane;
    }
    return oldest;
  };

  const take = (): readonly Entry[] => {
    const taken: Entry[] = [];
    while (taken.length < mostAtOnce) {
      const lane = oldestLane();
      const held = lane === undefined ? undefined : first(lane);
      if (lane === undefined || held === undefined || due(held) > 0) break;
      taken.push(held.entry);
      lane.at += 1;
      if (lane.held.length - lane.at < mostHeld / 2) {
        room.get(lane)?.();
        room.delete(lane);
      }
    }
    return taken;
  };

  sources.forEach((source, index) => {
    const lane = lanes[index];
    if (lane !== undefined) void pump(source, lane);
  });
  for (;;) {
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (failure !== undefined) throw failure.error;
    const entries = take();
    if (entries.length > 0) {
      yield entries;
      continue;
    }
    const lane = oldestLane();
    const held = lane === undefined ? undefined : first(lane);
    if (held === undefined && lanes.every(({ isOver }) => isOver)) return;
    const timeout = held === undefined ? Infinity : due(held);
    const timer = Number.isFinite(timeout) ? setTimeout(wake, timeout) : undefined;
    await woken;
    clearTimeout(timer);
  }
}
