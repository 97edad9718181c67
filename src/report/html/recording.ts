import type { Event } from '../../plan/event.ts';
import { mergeEvents, mergeSummaries } from '../merge.ts';
import type { RecordedEvent, RecordedRun } from '../recorded.ts';
import type { PlanReporter } from '../reporter.ts';
import { htmlPage, type PageParts } from './page.ts';
import { pageData } from './page-data.ts';

/** The page of several runs, which are shown as one; E_REPORT where they are none. */
export function pageOfRuns(runs: readonly [RecordedRun, ...RecordedRun[]], parts: PageParts): string {
  return htmlPage(pageData(mergeEvents(runs), mergeSummaries(runs)), parts);
}

function isRecorded(event: Event): event is RecordedEvent {
  return ['change', 'remark', 'notice', 'result', 'error'].includes(event.type);
}

/** Keeps what is reported, and gives the page of it to `write` when the run has ended. */
export function recordingReporter(
  reporter: PlanReporter,
  parts: PageParts,
  write: (page: string) => void,
): PlanReporter {
  const events: RecordedEvent[] = [];
  return {
    ...reporter,
    report(event) {
      reporter.report(event);
      if (event.type === 'summary') write(htmlPage(pageData(events, event), parts));
      else if (isRecorded(event)) events.push(event);
    },
  };
}
