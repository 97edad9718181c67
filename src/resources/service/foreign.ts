import { z } from 'zod';
import { isWithin } from '../path.ts';
import type { ServiceState } from './probe.ts';

/** What a process has read for one action, and what has come since. */
const one = z.object({
  action: z.enum(['reload', 'restart']),
  /** Paths that have come since then. */
  added: z.array(z.string()).readonly(),
  /** Nothing else differs. */
  isAll: z.boolean(),
  /** Undefined where nothing says what it has read. */
  read: z.array(z.string()).readonly().optional(),
});
const all = z.array(one);

type Foreign = z.output<typeof one>;

/** In one attribute of a state. */
export function foreignText(foreign: readonly Foreign[]): string {
  return JSON.stringify(foreign);
}

function foreignOf({ foreign }: Partial<ServiceState>): readonly Foreign[] {
  return foreign === undefined ? [] : all.parse(JSON.parse(foreign));
}

/**
 * The state once some paths are gone: a process that has read none of them is as it was before they came, and needs
 * neither a reload nor a restart.
 */
export function withoutPaths<Found extends Partial<ServiceState>>(
  state: Found,
  isGone: (path: string) => boolean,
): Found {
  const spared = foreignOf(state)
    .filter(({ added, isAll }) => isAll && added.length > 0 && added.every(isGone))
    .map(({ action }): [string, string] => [action, 'not due']);
  return spared.length === 0 ? state : { ...state, ...Object.fromEntries(spared) };
}

/** Whether the process may have read what is at or below a path that is to go. */
export function mayHaveRead(state: Partial<ServiceState>, action: Foreign['action'], path: string): boolean {
  const read = foreignOf(state).find((found) => found.action === action)?.read;
  return read === undefined || read.some((found) => isWithin(found, path));
}
