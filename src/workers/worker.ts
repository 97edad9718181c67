import type { HostwrightError } from '../errors.ts';
import type { HostDigests } from '../plan/saved.ts';
import type { ChangeEvent, RemarkEvent, RunOrigin } from '../plan/event.ts';
import type { Observed } from '../roles/role.ts';
import type { Secret } from '../secrets/secret.ts';
import type { Lock } from '../transport/transport.ts';

/** What is the same for all hosts of a run. */
export interface RunSettings {
  readonly run: RunOrigin;
  readonly lock: Lock;
  /** Read the files that change, to show what changes in them. */
  readonly diff: boolean;
  /** Look at what takes seconds to read, too. */
  readonly deep: boolean;
  /** Only what these roles declare. Left out: all of it. */
  readonly roles?: readonly string[];
  readonly becomePassword?: Secret;
  /** The plan is to be carried out: connections and locks are kept for it. */
  readonly apply?: {
    /** Seconds for a fresh connection after a change that may cut this one off, until the host rolls it back. */
    readonly confirmWithin: number;
  };
  /** Make digests of the changes with it, for a saved plan. */
  readonly salt?: string;
}

/** A host that has its plan, as the rest of the run knows it. */
export interface PlannedHost {
  /** So many resources are declared for it. */
  readonly resources: number;
  /** Where it stands among the hosts of a play, by the index of the play; 0 is left out. */
  readonly ranks: ReadonlyMap<number, number>;
  /** The plays, by their index, in which it is taken out of service. */
  readonly drains: readonly number[];
  /** The plan as it is shown: one for each change, in order. */
  readonly events: readonly ChangeEvent[];
  readonly remarks: readonly RemarkEvent[];
  /** Where the run has a salt. */
  readonly digests?: HostDigests;
  /** Requests so far. */
  readonly roundTrips: number;
  /** There is nothing to change, and the host knows what was last applied. */
  readonly isDone: boolean;
}

/** How work on a host has ended. */
export interface Turn {
  /** Requests to the host so far, where that is known. */
  readonly roundTrips?: number;
  /** Why the host takes no part any more. */
  readonly lost?: HostwrightError;
}

/**
 * Works on hosts, each of which it plans and then has to itself: its connection, its resources, its plan. What
 * is decided over several hosts (their order, how many in parallel, whether to go on) is decided elsewhere, and
 * only plain data, secrets and errors of ours go in and out, so that a worker may be a process of its own.
 */
export interface Worker {
  /**
   * Connects to a host, takes its lock, and gives what was read there for others, by the name of the observation.
   * Rejects with HostwrightErrors.
   */
  observe(host: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Connects to a host and takes its lock, unless it was observed, and plans it. Rejects with HostwrightErrors: all
   * that is wrong.
   */
  plan(host: string, observed: Observed): Promise<PlannedHost>;
  /** Has a planned host do what it can of a play before its turn; nothing that runs notices. */
  preparePlay(host: string, play: number): Promise<Turn>;
  /** Carries out a play on a planned host; the results are told meanwhile. */
  applyPlay(host: string, play: number): Promise<Turn>;
  /** Has a planned host keep what is as declared now, so that the next plan can tell drift. */
  recordApplied(host: string): Promise<Turn>;
  /** Finishes the steps in hand and begins no other. */
  stop(): void;
  /** Closes every connection, and with it the locks; one that is still being made as soon as it stands. */
  close(): Promise<void>;
}
