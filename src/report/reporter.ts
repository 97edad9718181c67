import type { Event, SummaryEvent } from '../plan/event.ts';

/** Shows events: the terminal, plain lines, JSON. */
export interface Reporter {
  report(event: Event): void;
  /** Restores the terminal. */
  close(): void;
}

/** What is known when the whole plan is, before anything of it is done. */
export type Planned = Pick<SummaryEvent, 'seconds' | 'hosts'> & Partial<Pick<SummaryEvent, 'command'>>;

/** Shows a plan as a whole: changes are reported first, then shown together. */
export interface PlanReporter extends Reporter {
  /**
   * Shows the changes reported so far, with the line that counts them. `apply` calls it between planning and
   * its first step; for `plan` the summary does the same.
   */
  showPlan(planned: Planned): void;
  /** Says which steps are waited for after an interruption; at a second one, which go on without the run. */
  interrupted(isSecond: boolean): void;
}
