import type { Change, State } from '../state.ts';

/** Changes that stop or restart what serves others: a host is drained before them (`plan/drain.ts`). */
export interface Interruption<Desired extends object = object, Found extends State = State> {
  /** Whether requests in hand may be lost. Not those of a reload, or of something that does not run yet. */
  interrupts(change: Change<Desired, Found>): boolean;
}
