import type { z } from 'zod';
import type { FilePlace } from '../errors.ts';
import type { Secret } from '../secrets/secret.ts';
import type { Script } from '../transport/shell.ts';

/** `type:key`, unique on a host: `file:/etc/hosts`, `package:nginx-light`. */
export type ResourceId = `${string}:${string}`;

/** One attribute of a state. A Secret compares by its value and prints as `***`. */
export type Attribute = string | number | boolean | null | Secret;

/** A flat map of attributes, like `{ mode: '0644', owner: 'root' }`. */
export type State = Readonly<Record<string, Attribute>>;

/** The state cannot be read (yet): the server that holds it does not run, its package is missing. */
export class Unreadable {
  readonly reason: string;
  /**
   * What cannot be planned where nothing that comes first can change it: the host, or this resource alone, where a
   * user of the host could otherwise keep everything else from being planned.
   */
  readonly costs: 'host' | 'resource';

  constructor(reason: string, costs: Unreadable['costs'] = 'host') {
    this.reason = reason;
    this.costs = costs;
  }
}

/** What a probe found; `null` is absent. */
export type Actual = State | null | Unreadable;

/** A resource as a role writes it: plain data. `absent: true` in `attributes` asks for its removal. */
export interface Resource {
  readonly type: ResourceType;
  /** Not yet checked against the schema of the type. */
  readonly attributes: object;
  /** Resources of the same host that must be as declared first, beyond those that are derived. */
  readonly needs?: readonly ResourceId[];
}

/** A resource in its place on a host: checked against its schema, with the role and play that declare it. */
export interface DeclaredResource<Desired extends object = object> {
  readonly id: ResourceId;
  readonly type: ResourceType<Desired>;
  readonly desired: Desired;
  readonly needs: readonly ResourceId[];
  readonly role: string;
  /** Index of the play, from 0. */
  readonly play: number;
  /** The template of its content and the place in it that a line is from; absent where no template gave it. */
  readonly origin?: (line?: number) => FilePlace;
}

/** Reads the actual state of every resource of one type on a host, in one go and without changing anything. */
export interface Probe {
  readonly script: Script;
  readonly stdin?: Uint8Array;
}

export type Action = 'create' | 'update' | 'delete' | 'run' | 'reload' | 'restart';

export interface AttributeChange {
  readonly name: string;
  readonly from: Attribute | undefined;
  readonly to: Attribute | undefined;
}

/** What a type is asked to do to one resource. */
export interface Change<Desired extends object = object> {
  readonly id: ResourceId;
  readonly desired: Desired;
  readonly action: Action;
  /** The state the change starts from: `null` when absent, or not readable before now. */
  readonly actual: State | null;
  readonly attributes: readonly AttributeChange[];
}

/** The change of a resource that is planned to come first. */
export type Planned = (id: ResourceId) => Change | undefined;

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
  /** Where it fails, what is as declared afterwards has changed nevertheless. */
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

/** A file as a diff wants it. */
export interface TextAttribute {
  readonly path: string;
  /** The desired text, or null where it is binary or secret. */
  readonly text: string | null;
}

/** Something that must be on the host before a resource can be made. */
export interface Requirement {
  readonly kind: 'user' | 'group' | 'directory' | 'unit';
  readonly name: string;
}

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

/**
 * A change that may cut the controller off: the host keeps the state of before, and brings it back by itself
 * unless a fresh connection confirms the change in time. `keep` and `restore` find the same folder `$HW`.
 */
export interface Guard {
  /** The unit whose enablement is restored. */
  readonly unit?: string;
  /** Files and links that come back, after a reboot too, and what they lead to; of directories owner, group and mode. */
  readonly paths: readonly string[];
  /** Directories that come back with everything in them. */
  readonly trees?: readonly string[];
  /** Keeps what runs and is in none of `paths`: tables of the kernel, whether a service is active. */
  readonly keep: Script;
  /** Brings that back once `paths` are as before. Not after a reboot, which starts from `paths`. */
  readonly restore: Script;
}

/**
 * A type of resource: one file with its schema, how to read the actual state, and how to change it.
 * Comparing is not its business: the attributes of `want` are compared with those that `parse` gives.
 */
export interface ResourceType<Desired extends object = object> {
  readonly name: string;
  /** One sentence for the documentation. */
  readonly summary: string;
  readonly schema: z.ZodType<Desired>;
  /** What identifies it among those of its type on a host: a path, a name. */
  key(desired: Desired): string;
  /** The attributes to be reached; `null` for absent. Attributes that it leaves out are left alone. */
  want(desired: Desired): State | null;
  probe(batch: readonly Desired[]): Probe;
  /** The states of `batch`, in its order, from what the script of `probe(batch)` wrote to standard output. */
  parse(output: Buffer, batch: readonly Desired[]): readonly Actual[];
  /** Attributes that `parse` finds and `want` leaves out must go, instead of being left alone: a set of rules. */
  readonly exact?: true;
  /** Sources of packages come before packages, packages before the rest of their role, services last. */
  readonly stage?: 'source' | 'package' | 'service';
  /** What there is of one depends on which others are declared: all of a host are always probed together. */
  readonly isProbedWhole?: true;
  /** Its steps may run on a copy of the tree that holds `path`, for a Transaction. */
  readonly staged?: true;
  /**
   * How to make `changes`, in one step or several; none of them is ordered before another. The first time in a
   * run `later` has the changes of the type that are not due yet, for what can be got ready.
   */
  apply(
    changes: readonly Change<Desired>[],
    host: ApplyContext,
    later?: readonly Change<Desired>[],
  ): readonly (Step | Conversation)[];
  /** The action that a difference amounts to, where it is not create, update or delete. */
  action?(attributes: readonly AttributeChange[], actual: State | null): Action;
  /** Resources that come first where they are declared on the host: its directory, its owner. */
  after?(desired: Desired): readonly ResourceId[];
  /**
   * The state that there will be once what comes first is changed, where that alters it beyond what `seenAt` says.
   * `planned` gives the change of a resource that comes earlier.
   */
  foresee?(desired: Desired, actual: State | null, planned: Planned): Actual;
  /** What must be there before it can be made: where nothing brings it, the plan says so. */
  requires?(desired: Desired): readonly Requirement[];
  /** Making it brings nothing beside itself: no user, directory or unit that only it knows of. */
  readonly isPlain?: true;
  /** The path that it owns, for triggers and transactions. */
  path?(desired: Desired): string;
  /**
   * Where its state is read; default `path`. It comes after the directories and links above, and where one of
   * these gives way to something else, what was read there counts as absent.
   */
  seenAt?(desired: Desired): readonly string[];
  /**
   * Says outright that a folder at `path` goes with everything in it. Where that is not so, one that holds
   * something (`entries` in the state that `parse` gives) is refused when the plan is made.
   */
  removesFolder?(desired: Desired): boolean;
  /** The text behind an attribute `content`, for diffs. */
  text?(desired: Desired): TextAttribute;
  triggers?(desired: Desired): readonly Trigger[];
  transaction?(desired: Desired): Transaction | undefined;
  /** Where a change of it may cut the controller off. */
  guard?(desired: Desired): Guard | undefined;
}

/** Options that every resource takes beside its attributes. */
export interface ResourceOptions {
  readonly needs?: readonly ResourceId[];
}

/** By resource what was on the stack when it was made. Kept outside of it: a resource is plain data. */
const makers = new WeakMap<Resource, Error>();

export function declare(type: ResourceType, attributes: object, options: ResourceOptions = {}): Resource {
  const resource: Resource =
    options.needs === undefined ? { type, attributes } : { type, attributes, needs: options.needs };
  makers.set(resource, new Error('made here'));
  return resource;
}

/** An error with the stack of the call that made a resource; turned into text only where something is wrong. */
export function makerOf(resource: Resource): Error | undefined {
  return makers.get(resource);
}

/** One step for each change: how most types apply. */
export function each<Desired extends object>(step: (change: Change<Desired>) => Step) {
  return (changes: readonly Change<Desired>[]): readonly Step[] => changes.map(step);
}
