import type { Script } from '../../transport/shell.ts';
import type { Change, State } from '../state.ts';

/** What can be done before the turn of a host while others are changed: nothing that runs notices (`apply/prepare.ts`). */
export interface Preparation<Desired extends object = object, Found extends State = State> {
  /** Whether the change itself may be made then: it makes something new that nothing uses yet. */
  isEarly?(change: Change<Desired, Found>): boolean;
  /** Fetches what the changes will need; promises nothing. */
  fetch?(changes: readonly Change<Desired, Found>[]): Script;
}
