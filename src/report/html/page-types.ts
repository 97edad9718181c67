// What the page in `pages/report` is given. It imports nothing: a browser has no types of Node.

interface Attribute {
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** What is the same on all hosts of a group. */
export interface PageChange {
  readonly role: string;
  readonly resource: string;
  readonly action: 'create' | 'update' | 'delete' | 'run' | 'reload' | 'restart';
  /** `planned`: there is no result, as of a plan. */
  readonly outcome: 'failed' | 'skipped' | 'changed' | 'planned';
  readonly reason?: string;
  readonly cause?: 'drift' | 'fact' | 'configuration';
  readonly facts?: readonly Attribute[];
  readonly attributes?: readonly Attribute[];
  readonly diff?: string;
  readonly knownAfter?: string;
  readonly takesUp?: readonly string[];
  readonly why?: string;
  readonly drains?: number;
}

/** The same change, with the same outcome, on several hosts. Numbers that are not known are -1. */
export interface PageGroup {
  readonly change: PageChange;
  /** Places in the list of hosts. */
  readonly hosts: readonly number[];
  /** Milliseconds since the start of the run, one for each of these hosts, as in the other lists. */
  readonly at: readonly number[];
  readonly ms: readonly number[];
  readonly steps: readonly number[];
}

export interface PageHost {
  readonly name: string;
  readonly resources: number;
  readonly changes: number;
  readonly changed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unreachable: boolean;
}

interface PageError {
  readonly code: string;
  readonly message: string;
  readonly host?: string;
  readonly place?:
    | { readonly file: string; readonly line?: number; readonly column?: number }
    | { readonly host: string; readonly resource?: string };
  readonly found?: string;
  readonly expected?: string;
  readonly hint?: string;
}

type PageNote =
  | { readonly type: 'remark'; readonly host: string; readonly resource: string; readonly text: string }
  | { readonly type: 'notice'; readonly host: string; readonly text: string };

export interface PageData {
  readonly command: 'plan' | 'apply' | 'drift';
  readonly ok: boolean;
  readonly interrupted: boolean;
  readonly seconds: number;
  readonly run?: {
    readonly start: string;
    readonly version: string;
    readonly who: string;
    readonly inventory: string;
    readonly limit?: string;
    readonly shard?: string;
    readonly roles?: readonly string[];
    readonly commit?: string;
    readonly isClean?: boolean;
  };
  readonly hosts: readonly PageHost[];
  readonly groups: readonly PageGroup[];
  readonly errors: readonly PageError[];
  readonly notes: readonly PageNote[];
}
