import type { WorkEvent } from '../apply/host-run.ts';
import type { HostwrightErrors } from '../errors.ts';
import type { Inventory } from '../inventory/model.ts';
import type { HostVariables } from '../roles/variables.ts';
import type { Observed } from '../roles/role.ts';
import type { Secret } from '../secrets/secret.ts';
import type { PlannedHost, RunSettings, Turn } from './worker.ts';

/** What was read of the project before any worker begins, so that all of them see the same. */
export interface ProjectData {
  /** site.yml, absolute. */
  readonly site: string;
  readonly inventory: Inventory;
  readonly variables: ReadonlyMap<string, HostVariables>;
  /** Values of generated secrets. */
  readonly generated: ReadonlyMap<string, Secret>;
}

/** A question to a worker; `id` stands in its answer. */
export type Call = { readonly id: number } & (
  | { readonly kind: 'observe'; readonly host: string }
  | { readonly kind: 'plan'; readonly host: string; readonly observed: Observed }
  | { readonly kind: 'preparePlay'; readonly host: string; readonly play: number }
  | { readonly kind: 'applyPlay'; readonly host: string; readonly play: number }
  | { readonly kind: 'recordApplied'; readonly host: string }
  | { readonly kind: 'close' }
);

export type ToWorker =
  | { readonly kind: 'start'; readonly settings: RunSettings; readonly project: ProjectData }
  | { readonly kind: 'stop' }
  | Call;

/** How a question is answered: with what `Worker` gives, or with what it rejects with. */
export type Outcome =
  | { readonly kind: 'observed'; readonly observed: ReadonlyMap<string, string> }
  | { readonly kind: 'planned'; readonly planned: PlannedHost }
  | { readonly kind: 'turn'; readonly turn: Turn }
  | { readonly kind: 'closed' }
  | { readonly kind: 'errors'; readonly errors: HostwrightErrors };

export type FromWorker =
  | { readonly kind: 'event'; readonly event: WorkEvent }
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: Outcome };

/** One end of a way to another process; what it takes comes out there in the same order. */
export interface Channel<In, Out> {
  send(message: Out): void;
  onMessage(take: (message: In) => void): void;
}

// Both ends are of one version, and only they write to the channel.
function hasKind(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

export function isToWorker(message: unknown): message is ToWorker {
  return hasKind(message);
}

export function isFromWorker(message: unknown): message is FromWorker {
  return hasKind(message);
}
