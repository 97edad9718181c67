import type { Drain, Serving } from '../resources/drain.ts';
import type { ResourceId } from '../resources/state.ts';
import type { PlannedChange } from './host-plan.ts';

/** The host is out of service while these changes are made. */
export interface PlannedDrain {
  readonly drain: Drain;
  readonly changes: ReadonlySet<ResourceId>;
}

/**
 * Which changes of a host would cost requests: services of the roles that serve, and packages of any, since these
 * restart what uses them.
 */
export function planDrain(
  serving: Serving | undefined,
  changes: Iterable<PlannedChange>,
): PlannedDrain | undefined {
  if (serving === undefined) return undefined;
  const costly = [...changes].filter((change) => {
    const { type, role } = change.resource;
    const concerns = serving.roles.has(role) || type.order?.stage === 'package';
    return concerns && type.interruption?.interrupts(change) === true;
  });
  if (costly.length === 0) return undefined;
  return { drain: serving.drain, changes: new Set(costly.map(({ id }) => id)) };
}
