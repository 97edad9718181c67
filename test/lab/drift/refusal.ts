import type { ErrorCode } from '../../../src/errors.ts';
import type { Action, ResourceId } from '../../../src/resources/state.ts';
import type { Damage } from './damage.ts';

/**
 * Damage that no run heals, because nobody but a person can decide, or because the host cannot: the run says why,
 * and leaves the host as it is.
 */
export type Refusal = Pick<Damage, 'what' | 'host' | 'breaks' | 'sound'> & {
  /** A number of its own, apart from those of `Damage`: `round R1`. All of one round are made together. */
  readonly round: number;
  /** Parts of the error in words, in any order: what a person needs in order to find the cause. */
  readonly says: readonly string[];
  /** Shell that takes the cause away, as a person would; then one apply heals the rest. */
  readonly undo: string;
} & (
    | {
        /** No plan of the host can be made. */
        readonly by: 'plan';
        readonly code: ErrorCode;
        /** Left out: the whole host. */
        readonly resource?: ResourceId;
      }
    | {
        /** The plan shows the change, and the change fails. */
        readonly by: 'apply';
        readonly resource: ResourceId;
        readonly action: Action;
        /** What else the plan shows because of it. */
        readonly follows?: NonNullable<Damage['follows']>;
      }
  );
