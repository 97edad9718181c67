import type { Cell } from '../roles/action.ts';

/** An action that the site has, as `hostwright do --json` lists it. */
export interface ActionEvent {
  readonly type: 'action';
  readonly role: string;
  readonly action: string;
  readonly summary: string;
  /** It needs HOST. */
  readonly on: 'host' | 'site';
  /** It changes nothing. */
  readonly reads: boolean;
  readonly arguments: readonly {
    readonly name: string;
    readonly description: string;
    readonly required: boolean;
  }[];
}

/** What an action of the command line belongs to. */
interface Named {
  readonly role: string;
  readonly action: string;
  /** HOST of the command line. */
  readonly host?: string;
}

/** What an action will do, before anybody is asked. */
export interface PreviewEvent extends Named {
  readonly type: 'preview';
  readonly steps: readonly { readonly host?: string; readonly title: string }[];
  readonly remarks: readonly string[];
  /** Changes of files of the inventory, as unified diffs without headers. */
  readonly edits: readonly { readonly file: string; readonly diff: string }[];
  /** What is planned and applied at the end. */
  readonly apply?: { readonly hosts: readonly string[]; readonly roles: readonly string[] };
}

/** What has become of a step of an action. */
export interface ActionStepEvent {
  readonly type: 'action-step';
  readonly host?: string;
  readonly title: string;
  /** `undone`: it was rolled back, and `title` says how; `skipped`: it was not begun. */
  readonly outcome: 'done' | 'failed' | 'undone' | 'skipped';
  readonly ms: number;
}

/** What an action has read. */
export interface AnswerEvent extends Named {
  readonly type: 'answer';
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  readonly remarks: readonly string[];
}

/** How an action ended; the last event of `hostwright do`. */
export interface OutcomeEvent extends Named {
  readonly type: 'outcome';
  readonly ok: boolean;
  /** A person ended it under way. */
  readonly interrupted?: true;
  /** What was reached, in a sentence; what failed stands in events of type `error`. */
  readonly text?: string;
  readonly seconds: number;
}

/** The events of `hostwright do`. */
export type DoEvent = ActionEvent | PreviewEvent | ActionStepEvent | AnswerEvent | OutcomeEvent;
