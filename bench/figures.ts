import type { Task } from './tools.ts';

/** One measurement of the 101 items. */
export interface Sample {
  readonly tool: string;
  readonly task: Task;
  readonly seconds: number;
}

/** A no-op of one host or all of them with a number of files. */
export interface Scale {
  readonly resources: number;
  readonly tool: string;
  /** Seconds, and the same with the delay in the path. */
  readonly direct: readonly number[];
  readonly delayed: readonly number[];
}

export interface Cost {
  readonly what: string;
  /** Seconds of processor, user and system. */
  readonly cpu: readonly number[];
}

export interface Figures {
  readonly command: string;
  readonly date: Date;
  readonly machine: string;
  readonly delay: number;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
  readonly samples: readonly Sample[];
  readonly scales: readonly Scale[];
  readonly costs: readonly Cost[];
}
