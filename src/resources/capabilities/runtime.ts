import type { Script } from '../../transport/shell.ts';
import type { Difference, State } from '../state.ts';

/** A service is due for `action` when something below one of `paths` changes. */
export interface Trigger {
  readonly action: 'reload' | 'restart';
  readonly paths: readonly string[];
}

/**
 * Directory trees that go live as a whole: changes of files below `trees` are first made in copies that a private
 * mount namespace shows in the place of the real folders, `validate` runs there, and only then are they made for
 * real, followed by the change of the resource itself. When that fails the previous files are restored.
 */
export interface Transaction {
  readonly trees: readonly string[];
  /** The service's own check of its configuration. */
  readonly validate: Script;
}

/** What runs, and has read files that other resources change (`plan/plan.ts`, `apply/transaction.ts`). */
export interface Runtime<Desired extends object = object, Found extends State = State> {
  triggers(desired: Desired): readonly Trigger[];
  /**
   * What there is to do of a resource whose triggers make `action` due, beside the difference that was found
   * already. `undefined`: `action` alone, since nothing else changes that would not do it anyway.
   */
  whenDue(action: Trigger['action'], difference: Difference | undefined): Difference | undefined;
  /** Paths that nobody declares and that a reload or restart would take up: the plan names them. */
  takesUp?(actual: Found): readonly string[];
  /** The state once paths are gone: what has never read them needs nothing. */
  withoutPaths?(actual: Found, isGone: (path: string) => boolean): Found;
  /** Whether what runs may have read what lies at or below a path that is to go. Left out: it may. */
  mayHaveRead?(actual: Found, action: Trigger['action'], path: string): boolean;
  transaction?(desired: Desired): Transaction | undefined;
}
