import type { Change } from '../state.ts';

/** What a resource is in the file system of the host (`plan/graph.ts`, `plan/refusal.ts`, `plan/mounts.ts`). */
export interface Files<Desired extends object = object> {
  /** The path that it owns, for triggers, transactions and what is mounted there. */
  path?(desired: Desired): string;
  /** Other paths that it owns: none of them is undeclared. */
  alsoOwns?(desired: Desired): readonly string[];
  /**
   * Paths of which owner, group and mode are to say all about who may use them. ACLs and capabilities there are
   * differences (`acl`, `capabilities`), and its steps leave none.
   */
  modeIsAll?(desired: Desired): readonly string[];
  /** It edits a part of the file at `path`: another resource may own the whole. */
  readonly isPart?: true;
  /**
   * Where its state is read; default `path`. It comes after the directories and links above, and where one of
   * these gives way to something else, what was read there counts as absent.
   */
  readAt?(desired: Desired): readonly string[];
  /** Its steps may run on a copy of the tree that holds `path`, for a Transaction; a folder only on one above it. */
  readonly staged?: 'path' | 'below';
  /** What is in the folder at `path` and nobody declares goes as well; what packages bring is known only after them. */
  clears?(desired: Desired): boolean;
  /** Bytes of the paths that a change removes in the folder at `path`, each with everything in it. */
  removes?(change: Change<Desired>): readonly Uint8Array[];
  /**
   * Says that a folder at `path` goes with everything in it. Where that is not so, one that holds something
   * (`entries` in the state that the probe reads) is refused when the plan is made.
   */
  removesFolder?(desired: Desired): boolean;
  /** The text behind the attribute `content`, for diffs; null where it is binary or secret. */
  text?(desired: Desired): string | null;
  /** Where a link leads, as it is written. */
  leadsTo?(desired: Desired): string | undefined;
}
