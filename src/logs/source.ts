import { setTimeout as wait } from 'node:timers/promises';
import { HostwrightError } from '../errors.ts';
import type { Transport } from '../transport/transport.ts';
import type { Entry } from './entry.ts';
import { newestCursor, readJournal, type Query } from './journalctl.ts';

export interface HostJournal {
  readonly connect: () => Promise<Transport>;
  readonly query: Query;
  readonly follows: boolean;
  /** It follows, and the host cannot be reached for now. Called once until it is back. */
  readonly onLost: (error: HostwrightError) => void;
  readonly onBack: () => void;
}

/** Seconds between attempts to reach a host again. */
const pauses = [1, 2, 5, 10] as const;

/** A host that may be back in a moment. */
function mayComeBack(error: unknown): error is HostwrightError {
  return error instanceof HostwrightError && ['E_CONNECT', 'E_TIMEOUT'].includes(error.code);
}

/**
 * The journal of one host, several entries at a time; an empty list says that what comes now is new. When it follows,
 * it begins again after a lost connection with what came after the last entry, and does not end by itself. Rejects
 * with the error of a host that cannot be read.
 */
export async function* hostJournal(options: HostJournal): AsyncGenerator<readonly Entry[]> {
  const { connect, query, follows, onLost, onBack } = options;
  let cursor: string | undefined;
  let isCaughtUp = false;
  let failures = 0;
  for (;;) {
    try {
      const transport = await connect();
      try {
        if (failures > 0) onBack();
        failures = 0;
        const newest = follows && !isCaughtUp ? await newestCursor(transport) : undefined;
        if (!isCaughtUp) {
          for await (const entries of readJournal(transport, query, { cursor })) {
            cursor = entries.at(-1)?.cursor ?? cursor;
            yield entries;
          }
          isCaughtUp = true;
          cursor ??= newest;
        }
        if (!follows) return;
        yield [];
        for await (const entries of readJournal(transport, query, { cursor, follows })) {
          cursor = entries.at(-1)?.cursor ?? cursor;
          yield entries;
        }
      } finally {
        await transport.close();
      }
    } catch (error) {
      if (!follows || !mayComeBack(error)) throw error;
      if (failures === 0) onLost(error);
      failures += 1;
      // The others need not wait for it.
      yield [];
    }
    const pause = pauses[Math.min(failures, pauses.length) - 1] ?? pauses[0];
    await wait(pause * 1000);
  }
}
