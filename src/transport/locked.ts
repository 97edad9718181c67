import { z } from 'zod';
import { HostwrightError } from '../errors.ts';
import { lastWords } from './start-error.ts';
import type { LockHolder } from './transport.ts';

const holderSchema = z.object({
  user: z.string(),
  controller: z.string(),
  pid: z.number(),
  since: z.string(),
});

/** More than all runs say that could share a lock. */
const mostBytes = 16_384;

/** E_LOCKED from what the sessions that hold the lock wrote about themselves: one JSON object a line. */
export function lockedError(host: string, holders: string): HostwrightError {
  const known = holders.slice(0, mostBytes).split('\n').flatMap(readHolder);
  const [first, ...others] = known.map(
    ({ user, controller, pid, since }) => `${user} on ${controller} (pid ${pid}) since ${since}`,
  );
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return new HostwrightError('E_LOCKED', `another run holds the lock: ${first ?? 'unknown'}${more}`, {
    place: { host },
    ...(others.length > 0 && { found: others.join(', ') }),
    hint: 'wait for that run: its lock ends with its connection, or with its current step',
  });
}

function readHolder(line: string): readonly LockHolder[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  const holder = holderSchema.safeParse(value);
  if (!holder.success) return [];
  const { user, controller, pid, since } = holder.data;
  return [{ user: lastWords(user), controller: lastWords(controller), pid, since: lastWords(since) }];
}
