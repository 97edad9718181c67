import type { Secret } from '../secrets/secret.ts';

/** One attribute of a state. A Secret compares by its value and prints as `***`. */
export type Attribute = string | number | boolean | null | Secret;

/** A flat map of attributes, like `{ mode: '0644', owner: 'root' }`. */
export type State = Readonly<Record<string, Attribute>>;

/** The attributes to be reached. One that is undefined, or left out, is left alone. */
export type Wanted = Readonly<Record<string, Attribute | undefined>>;

/**
 * The state cannot be read (yet): the server that holds it does not run, its package is missing. Where nothing that
 * comes first can change that, it costs this resource and what needs it, and never the rest of the host.
 */
export class Unreadable {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** What a probe found; `null` is absent. */
export type Actual<Found extends State = State> = Found | null | Unreadable;

export type Action = 'create' | 'update' | 'delete' | 'run' | 'reload' | 'restart';

export interface AttributeChange {
  readonly name: string;
  readonly from: Attribute | undefined;
  readonly to: Attribute | undefined;
}

/** How a resource differs from what is declared. */
export interface Difference {
  readonly action: Action;
  readonly attributes: readonly AttributeChange[];
}

/** `type:key`, unique on a host: `file:/etc/hosts`, `package:nginx-light`. */
export type ResourceId = `${string}:${string}`;

/** What a type is asked to do to one resource. */
export interface Change<Desired extends object = object, Found extends State = State> extends Difference {
  readonly id: ResourceId;
  readonly desired: Desired;
  /** The state the change starts from: `null` when absent, or not readable before now. */
  readonly actual: Found | null;
}
