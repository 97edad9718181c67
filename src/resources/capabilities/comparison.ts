import type { Action, AttributeChange, State } from '../state.ts';

/** How the states of a type compare, beyond attribute by attribute (`plan/compare.ts`). */
export interface Comparison<Found extends State = State> {
  /** Attributes that the probe reads for the planner or for people, and that `want` never names. */
  readonly computed?: readonly string[];
  /** Attributes that say nothing about a new resource, and are not shown when it is created. */
  readonly implied?: readonly string[];
  /** Computed attributes that say what goes with a resource that is removed. */
  readonly leaving?: readonly string[];
  /** Attributes that the probe finds and `want` leaves out must go: a set of rules. */
  readonly exact?: true;
  /** What there is of one depends on which others are declared: all of a host are probed together. */
  readonly together?: true;
  /** Reading it takes seconds: only `--deep` looks at it, and a difference is drift, recorded or not. */
  readonly deep?: true;
  /** What a person should know of what is there and stays: in the plan, beside the changes. */
  remarks?(actual: Found): readonly string[];
  /** The action that a difference amounts to, where it is not create, update or delete. */
  action?(attributes: readonly AttributeChange[], actual: Found | null): Action;
}
