import type { ResourceId } from '../resources/state.ts';
import type { Section } from '../transport/sections.ts';
import type { Undo } from '../rollback/arm.ts';

/** A piece of a batch: a script and the resources whose fate hangs on it. */
export interface Work {
  readonly resources: readonly ResourceId[];
  readonly title: string;
  readonly section: Section;
  /** Milliseconds. */
  readonly timeout: number;
  /** Where it fails, what is as declared afterwards has changed nevertheless. */
  readonly isDivisible?: true;
  /** How the host rolls it back, where it may cut the controller off. */
  readonly undo?: Undo;
}
