import type { AnswerEvent } from '../plan/action-event.ts';
import type { Event } from '../plan/event.ts';
import type { PlanReporter } from './reporter.ts';

type Mask = (text: string) => string;

function maskedRow(row: AnswerEvent['rows'][number], mask: Mask): AnswerEvent['rows'][number] {
  return Object.fromEntries(
    Object.entries(row).map(([name, cell]) => [name, typeof cell === 'string' ? mask(cell) : cell]),
  );
}

function maskedEvent(event: Event, mask: Mask): Event {
  switch (event.type) {
    case 'change':
      return {
        ...event,
        attributes: event.attributes.map(({ name, from, to }) => ({
          name,
          from: from === null ? null : mask(from),
          to: to === null ? null : mask(to),
        })),
        ...(event.diff === undefined ? {} : { diff: mask(event.diff) }),
      };
    case 'remark':
    case 'notice':
      return { ...event, text: mask(event.text) };
    case 'result':
      return event.reason === undefined ? event : { ...event, reason: mask(event.reason) };
    case 'error':
      return {
        ...event,
        message: mask(event.message),
        ...(event.found === undefined ? {} : { found: mask(event.found) }),
      };
    case 'preview':
      return {
        ...event,
        steps: event.steps.map((step) => ({ ...step, title: mask(step.title) })),
        remarks: event.remarks.map(mask),
        edits: event.edits.map((edit) => ({ ...edit, diff: mask(edit.diff) })),
      };
    case 'action-step':
      return { ...event, title: mask(event.title) };
    case 'answer':
      return {
        ...event,
        rows: event.rows.map((row) => maskedRow(row, mask)),
        remarks: event.remarks.map(mask),
      };
    case 'outcome':
      return event.text === undefined ? event : { ...event, text: mask(event.text) };
    case 'action':
    case 'step':
    case 'summary':
      break;
  }
  return event;
}

/** Masks secrets in the output of hosts and programs before `reporter` sees it: they may repeat one. */
export function maskedReporter(reporter: PlanReporter, mask: Mask): PlanReporter {
  return {
    ...reporter,
    report: (event) => {
      reporter.report(maskedEvent(event, mask));
    },
  };
}
