import type { z } from 'zod';
import type { FilePlace } from '../errors.ts';
import type { Section } from '../transport/sections.ts';
import type { Script } from '../transport/shell.ts';
import type { Answer } from '../transport/transport.ts';
import type { Access } from './capabilities/access.ts';
import type { Comparison } from './capabilities/comparison.ts';
import type { Files } from './capabilities/files.ts';
import type { Interruption } from './capabilities/interruption.ts';
import type { Order } from './capabilities/order.ts';
import type { Preparation } from './capabilities/preparation.ts';
import type { Runtime } from './capabilities/runtime.ts';
import type { Actual, Change, ResourceId, State, Wanted } from './state.ts';
import type { ApplyContext, Conversation, Step } from './step.ts';

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

/**
 * What a probe may know of the rest of the host: the paths that resources of any of its roles declare, whichever
 * roles a run selects. What none of them declares is somebody else's.
 */
export interface DeclaredPaths {
  /** Whether a resource owns `path`: it declares what is there, or that there is nothing. */
  owns(path: string): boolean;
  /** Whether a resource owns something below `path`. */
  ownsBelow(path: string): boolean;
  /** Whether a resource is declared, such as the service of a unit. */
  declares(id: ResourceId): boolean;
  /** Whether a resource declares an account to be in a group. */
  hasMember(group: string, account: string): boolean;
}

/** Reads the actual state of every resource of a batch, in one go and without changing anything. */
export interface Probe<Found extends State = State> {
  readonly script: Script;
  readonly stdin?: Uint8Array;
  /** The states of the batch, in its order, from what the script wrote to standard output. Throws for any other form. */
  readonly parse: (output: Buffer) => readonly Actual<Found>[];
  /** Reads it together with probes of other types that have the same one. */
  readonly joint?: Joint;
  /** Reads more attributes of the same batch, of those that are there. */
  readonly also?: Probe;
}

/** One section for the probes of several types: a client of a server costs more than what it is asked. */
export interface Joint<One extends Probe = Probe> {
  section(probes: readonly One[]): Section;
  /** What each of `count` probes would have answered alone, in their order. */
  answers(answer: Answer, count: number): readonly Answer[];
}

/**
 * A type of resource: how to read the actual state, what state is wanted, and how to change it. Comparing is not
 * its business: the attributes of `want` are compared with those that the probe reads.
 *
 * The first seven members are all that most types need. What only some can do is a capability, documented beside
 * its interface in `capabilities/`.
 */
export interface ResourceType<Desired extends object = object, Found extends State = State> {
  readonly name: string;
  /** One sentence for the documentation. */
  readonly summary: string;
  readonly schema: z.ZodType<Desired>;
  /** What identifies it among those of its type on a host: a path, a name. */
  key(desired: Desired): string;
  /** The attributes to be reached; `null` for absent. */
  want(desired: Desired): Wanted | null;
  /** How to read the resources of `batch`, all of one host. Without `host` nothing counts as undeclared. */
  probe(batch: readonly Desired[], host?: DeclaredPaths): Probe<Found>;
  /**
   * How to make `changes`, in one step or several; none of them is ordered before another. The first time in a
   * run `later` has the changes of the type that are not due yet, for what can be got ready.
   */
  apply(
    changes: readonly Change<Desired, Found>[],
    host: ApplyContext,
    later?: readonly Change<Desired, Found>[],
  ): readonly (Step | Conversation)[];

  readonly comparison?: Comparison<Found>;
  readonly order?: Order<Desired, Found>;
  readonly files?: Files<Desired>;
  readonly runtime?: Runtime<Desired, Found>;
  readonly access?: Access<Desired>;
  readonly interruption?: Interruption<Desired, Found>;
  readonly preparation?: Preparation<Desired, Found>;
}

/** Where the declarations of a host are not known nothing may be taken for undeclared. */
const everything: DeclaredPaths = {
  owns: () => true,
  ownsBelow: () => true,
  declares: () => false,
  hasMember: () => true,
};

type NameOf<S> = S extends unknown ? keyof S & string : never;

/** A name that only one of `want` and `probe` knows would be planned for ever, or never. */
type SameNames<Want, Found, Computed extends string> =
  string extends NameOf<Found>
    ? string extends NameOf<Want>
      ? unknown
      : { readonly probe: (batch: never) => 'let parse return objects with their attributes, not State' }
    : [Exclude<NameOf<Want>, NameOf<Found>>] extends [never]
      ? [Exclude<NameOf<Found>, NameOf<Want> | Computed>] extends [never]
        ? unknown
        : {
            readonly want: (desired: never) => {
              [
                Name in Exclude<NameOf<Found>, NameOf<Want> | Computed>
              ]: 'the probe reads it: want it, or list it in comparison.computed';
            };
          }
      : {
          readonly want: (desired: never) => {
            [Name in Exclude<NameOf<Want>, NameOf<Found>>]: 'the probe does not read it';
          };
        };

/**
 * The way to write a type of resource. The names of the attributes are checked against each other: one that only
 * `want` or only the probe knows does not compile.
 */
export function defineResource<
  Schema extends z.ZodType<object>,
  Found extends State,
  Want extends Wanted,
  const Computed extends string = never,
>(
  type: Omit<ResourceType<z.output<Schema>, NoInfer<Found>>, 'schema' | 'want' | 'probe' | 'comparison'> & {
    readonly schema: Schema;
    want(desired: z.output<Schema>): Want | null;
    probe(batch: readonly z.output<Schema>[], host: DeclaredPaths): Probe<Found>;
    readonly comparison?: Comparison<NoInfer<Found>> & {
      readonly computed?: readonly Computed[];
      readonly implied?: readonly NoInfer<NameOf<Found>>[];
    };
  } & SameNames<Want, Found, Computed>,
): ResourceType<z.output<Schema>, Found>;
export function defineResource(
  type: Omit<ResourceType, 'probe'> & { probe(batch: readonly object[], host: DeclaredPaths): Probe },
): ResourceType {
  return { ...type, probe: (batch, host = everything) => type.probe(batch, host) };
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
