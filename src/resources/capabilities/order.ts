import type { Change, ResourceId, State } from '../state.ts';

/** Something that must be on the host before a resource can be made. */
export interface Requirement {
  readonly kind: 'user' | 'group' | 'directory' | 'unit';
  readonly name: string;
}

/** The change of a resource that is planned to come first. */
export type Planned = (id: ResourceId) => Change | undefined;

/** What comes before a resource, and what that means for it (`plan/graph.ts`, `plan/unmet.ts`). */
export interface Order<Desired extends object = object, Found extends State = State> {
  /** Sources of packages come before packages, packages before the rest of their role, services last. */
  readonly stage?: 'source' | 'package' | 'service';
  /** Resources that come first where they are declared on the host: its owner, its server. */
  after?(desired: Desired): readonly ResourceId[];
  /** What must be there before it can be made: where nothing provides it, the plan says so. */
  requires?(desired: Desired): readonly Requirement[];
  /**
   * Whether it provides `requirement`, as declared; `perhaps`: making it may. Without this everything is perhaps
   * provided, as by a package or a command.
   */
  provides?(desired: Desired, requirement: Requirement): boolean | 'perhaps';
  /**
   * The state that there will be once what comes first is changed, where that alters it beyond what `readAt` of
   * `files` says. `planned` gives the change of a resource that comes earlier.
   */
  foresee?(desired: Desired, actual: Found | null, planned: Planned): Found | null;
}
