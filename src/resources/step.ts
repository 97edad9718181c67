import type { Script } from '../transport/shell.ts';
import type { Change, ResourceId, State } from './state.ts';

/** A shell step that changes one or more resources; runs with `set -eu`, as root, idempotently. */
export interface Step {
  readonly resources: readonly ResourceId[];
  /** What a person reads while it runs: `install nginx-light, socat`. */
  readonly title: string;
  readonly script: Script;
  /** What takes effect of a guarded change, after `script` has made it ready; both find the same `$HW`. */
  readonly live?: Script;
  /** Standard input of the script: contents of files, secrets. */
  readonly stdin?: Uint8Array;
  /** Milliseconds it may take; default 5 minutes. */
  readonly timeout?: number;
  /** When it fails, resources that are as declared afterwards count as changed. */
  readonly isDivisible?: true;
}

/**
 * Runs shell on the host of a conversation; throws E_REMOTE when it fails. Gives its standard output.
 * `timeout` in milliseconds; default 5 minutes.
 */
export type Ask = (script: Script, stdin?: Uint8Array, timeout?: number) => Promise<Buffer>;

/** A change that needs answers of the host on its way, such as a signing request that the controller signs. */
export interface Conversation {
  readonly resources: readonly ResourceId[];
  readonly title: string;
  readonly converse: (ask: Ask) => Promise<void>;
}

/** What a type may know of the rest of the host while it makes its steps. */
export interface ApplyContext {
  /** Keys of all resources of a type that are declared on the host and not absent. */
  declared(typeName: string): readonly string[];
}

/** One step for each change: how most types apply. */
export function each<Desired extends object, Found extends State>(
  step: (change: Change<Desired, Found>) => Step,
) {
  return (changes: readonly Change<Desired, Found>[]): readonly Step[] => changes.map(step);
}
