import type { DeclaredResource } from '../resources/resource.ts';
import type { Change, ResourceId } from '../resources/state.ts';
import type { PlannedDrain } from './drain.ts';
import type { PlanNode } from './graph.ts';

/** A change that the plan names, with what a person wants to know of it. */
export interface PlannedChange extends Change {
  readonly resource: DeclaredResource;
  /** The resource whose change must come first before the actual state can be known. */
  readonly knownAfter?: ResourceId;
  /** Why its state cannot be read: applied, it fails, and what does not depend on it goes on. */
  readonly unreadable?: string;
  /** Nothing but a change of files that it has read makes it due. */
  readonly isTriggered?: true;
  /** Paths that nobody declares, and that take effect with it. */
  readonly takesUp?: readonly string[];
}

/** Everything that is to happen on one host, in order. */
export interface HostPlan {
  readonly host: string;
  /** Those of the roles that the run selects. */
  readonly resources: readonly DeclaredResource[];
  /** Those of all roles of the host. */
  readonly declared: readonly DeclaredResource[];
  readonly nodes: readonly PlanNode[];
  readonly changes: ReadonlyMap<ResourceId, PlannedChange>;
  /** Left out: nothing needs it. */
  readonly drain?: PlannedDrain;
}
