import type { ErrorCode, Place } from '../errors.ts';
import type { Action, ResourceId } from '../resources/state.ts';
import type { DoEvent } from './action-event.ts';

/** One attribute that differs, as text; secrets are `***` on both sides. `null` is absent. */
export interface ReportedAttribute {
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** A fact of a host that is another one than at the last apply, as text. Of a list: what has gone, what has come. */
export interface ChangedFact {
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

export interface ChangeEvent {
  readonly type: 'change';
  readonly host: string;
  readonly role: string;
  readonly resource: ResourceId;
  readonly action: Action;
  /**
   * `drift`: the host has left what was last applied; `fact`: something else is declared since, because the host is
   * another one (memory, release, addresses); `configuration`: because somebody has changed variables or roles.
   */
  readonly cause: 'drift' | 'fact' | 'configuration';
  /** With the cause `fact`: those that decide. */
  readonly facts?: readonly ChangedFact[];
  readonly attributes: readonly ReportedAttribute[];
  /** Unified diff of a text, without a header. */
  readonly diff?: string;
  /** The resource whose change must come first before the actual state can be known. */
  readonly knownAfter?: ResourceId;
  /** Paths that no role declares, and that a service reads with this reload or restart. */
  readonly takesUp?: readonly string[];
  /** Why, where the attributes do not tell: `its configuration changes`. */
  readonly why?: string;
  /** The host is taken out of service first, and its requests in hand are waited for: seconds at most. */
  readonly drains?: number;
}

/** Something on a host that a person should know of, and that no run changes. */
export interface RemarkEvent {
  readonly type: 'remark';
  readonly host: string;
  readonly role: string;
  readonly resource: ResourceId;
  readonly text: string;
}

/** Something that did not work, and that takes nothing away from what was done. */
export interface NoticeEvent {
  readonly type: 'notice';
  readonly host: string;
  readonly text: string;
}

/** What a host does now; `null` when it is done. For the live view only. */
export interface StepEvent {
  readonly type: 'step';
  readonly host: string;
  readonly title: string | null;
  /** So many steps are in hand as one request. Left out: one. */
  readonly steps?: number;
}

export interface ResultEvent {
  readonly type: 'result';
  readonly host: string;
  readonly role: string;
  readonly resource: ResourceId;
  readonly action: Action;
  readonly outcome: 'changed' | 'failed' | 'skipped';
  readonly reason?: string;
  /** Milliseconds that the step took in which it was changed. */
  readonly ms: number;
  /** When that step began: milliseconds since the start of the run. Left out: none was begun. */
  readonly at?: number;
  /** Which step of its host that was: resources that are changed together share one. Left out: none. */
  readonly step?: number;
}

/** Something the user must know: a host that cannot be reached, a role that fails. */
export interface ErrorEvent {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly message: string;
  readonly host?: string;
  readonly place?: Place;
  readonly found?: string;
  readonly expected?: string;
  readonly hint?: string;
}

export interface HostSummary {
  readonly resources: number;
  readonly changes: number;
  /** `drift`: what differs because something else is declared since the last apply. Left out: none. */
  readonly pending?: number;
  readonly changed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unreachable: boolean;
  readonly roundTrips: number;
}

/** Which run it is, and whose. */
export interface RunOrigin {
  /** No other run has it; in the order of their starts. */
  readonly id: string;
  /** ISO 8601, by the clock of the controller. */
  readonly start: string;
  /** Of Hostwright. */
  readonly version: string;
  /** The user and the machine that it runs on: `anna@laptop`. */
  readonly who: string;
  /** The path of the inventory. */
  readonly inventory: string;
  readonly limit?: string;
  /** `2/5`. */
  readonly shard?: string;
  readonly roles?: readonly string[];
  /** Of the repository that the inventory is in. Left out: it is in none, or git is not there. */
  readonly commit?: string;
  /** Whether the repository was as committed, without new files. */
  readonly isClean?: boolean;
}

export interface SummaryEvent {
  readonly type: 'summary';
  readonly command: 'plan' | 'apply' | 'drift';
  readonly ok: boolean;
  /** A person ended it under way: what is left has not failed. */
  readonly interrupted?: true;
  /** Without the time that was spent waiting for a person. */
  readonly seconds: number;
  /** Left out: the run was refused before it began, or was recorded by an earlier version. */
  readonly run?: RunOrigin;
  readonly hosts: Readonly<Record<string, HostSummary>>;
}

/** The events of a run of `plan`, `apply` or `drift`. */
export type RunEvent =
  ChangeEvent | RemarkEvent | NoticeEvent | StepEvent | ResultEvent | ErrorEvent | SummaryEvent;

export type Event = RunEvent | DoEvent;
