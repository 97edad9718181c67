import type { z } from 'zod';
import type { Script } from '../transport/shell.ts';
import type { Site, SiteHost } from './role.ts';

/** What a script of an action gets beside its text. */
export interface ActionRequest {
  /** Standard input of the script: the only way for secrets. */
  readonly stdin?: string | Uint8Array;
  /** Seconds that it may take; default 300. */
  readonly timeout?: number;
}

/** A host that has the role of an action. */
export interface ActionHost<Vars = Readonly<Record<string, unknown>>> extends SiteHost {
  /** The variables of the role for this host, as a plan has them. */
  readonly vars: Vars;
  /**
   * Runs shell on the host, as root under `set -eu`, with a private folder `$HW`; gives its standard output. The first
   * script connects to the host, and takes its lock if the action changes something. Throws E_REMOTE when the
   * script fails, E_LOCKED, and E_CONNECT, E_TIMEOUT, E_AUTH or E_HOST_KEY where the host cannot be reached.
   */
  readonly run: (script: Script, request?: ActionRequest) => Promise<string>;
}

export interface ActionContext<Vars = unknown, Args = unknown> {
  readonly args: Args;
  /** All hosts that have the role, in inventory order. */
  readonly hosts: readonly ActionHost<Vars>[];
  readonly site: Pick<Site, 'hosts' | 'declared'>;
}

/** The context of an action on one host. */
export interface HostActionContext<Vars = unknown, Args = unknown> extends ActionContext<Vars, Args> {
  /** The one that HOST names. */
  readonly host: ActionHost<Vars>;
}

export type Cell = string | number | boolean | null;

/** What an action that only reads has found: a table. */
export interface Answer {
  /** The cells by their headings; all rows have the same. `null` is unknown or nothing. */
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  /** Sentences below the table: what is wrong, and what to do. */
  readonly remarks?: readonly string[];
}

/** A piece of work of an action. */
export interface ActionStep {
  /** The host that it works on; left out: the controller, or several hosts. */
  readonly host?: string;
  /** What a person reads before it is done and meanwhile: `close web2 for writes`. */
  readonly title: string;
  readonly run: () => Promise<void>;
  /**
   * Rolls the step back when it or a later one fails or is interrupted; the last step comes first. It looks at the
   * hosts itself: the step may not have been done, or a later one may be what counts now.
   */
  readonly undo?: { readonly title: string; readonly run: () => Promise<void> };
  /** Once it is done, neither it nor what came before is rolled back. */
  readonly isFinal?: true;
}

/** What an action will do. */
export interface ActionPlan {
  /** In order; empty when there is nothing to do. */
  readonly steps: readonly ActionStep[];
  /** What a person must know before agreeing, such as what may be lost. */
  readonly remarks?: readonly string[];
  /** What a person must type in the place of `y`; without a terminal the argument of that name must be given. */
  readonly consent?: { readonly question: string; readonly word: string; readonly argument: string };
  /**
   * Looks at the hosts again after the steps, also when there were none. Gives in a sentence what was reached, and
   * throws where it was not.
   */
  readonly verify: () => Promise<string>;
  /**
   * Variables of the inventory that change after the steps, so that the declaration says what was done: where the
   * hosts of the group have them from, else in `group_vars` of the group.
   */
  readonly sets?: readonly {
    readonly name: string;
    readonly value: string | number | boolean;
    readonly group: string;
  }[];
  /** Roles that are planned and applied at the end, as far as the site has them, on all hosts but some. */
  readonly apply?: { readonly roles: readonly string[]; readonly without?: readonly string[] };
}

/** `read` changes nothing, takes no lock and is not asked about; `plan` reads, and says what will happen. */
type Work<Context> =
  | { read(context: Context): Promise<Answer>; readonly plan?: never }
  | { plan(context: Context): Promise<ActionPlan>; readonly read?: never };

/** `Given` is what it is handed of its arguments. */
type ActionOf<Vars, Args extends z.ZodObject, Given> = {
  /** One line: `let another host take the writes`. */
  readonly summary: string;
  /** `z.object`, each with `.describe()`: `keepOld` is `--keep-old` on the command line. */
  readonly arguments: Args;
} & (
  | ({ readonly on: 'host' } & Work<HostActionContext<Vars, Given>>)
  | ({ readonly on: 'site' } & Work<ActionContext<Vars, Given>>)
);

/**
 * Something that a role can do and that is no state: promote a database, back up now. Where it cannot or must not be
 * done, `plan` and `read` throw a HostwrightError (E_REFUSED) that names the cause.
 */
export type RoleAction<Vars = unknown, Args extends z.ZodObject = z.ZodObject> = ActionOf<
  Vars,
  Args,
  z.output<Args>
>;

/** An action of a role with these variables, whatever its arguments are. */
export type AnyAction<Vars> = ActionOf<Vars, z.ZodObject, never>;

/** Defines an action, for `actions` of `defineRole`: `action({ on: 'site', summary: '…', arguments: z.object({}), … })`. */
export function action<Vars, Args extends z.ZodObject>(
  definition: RoleAction<Vars, Args>,
): RoleAction<Vars, Args> {
  return definition;
}
