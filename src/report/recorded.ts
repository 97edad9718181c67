import { z } from 'zod';
import { errorCodes, HostwrightError } from '../errors.ts';
import type { ErrorEvent, RunEvent, SummaryEvent } from '../plan/event.ts';

/** The `--json` output of one complete run. */
export interface RecordedRun {
  readonly file: string;
  readonly events: readonly RecordedEvent[];
  readonly summary: SummaryEvent;
  /** The line of the summary. */
  readonly line: number;
}

export type RecordedEvent = Exclude<RunEvent, { readonly type: 'step' | 'summary' }>;

const count = z.number().int().nonnegative();
const text = z.string().nullable();
const change = {
  host: z.string(),
  role: z.string(),
  resource: z.string().regex(/^[^:]+:/),
  action: z.enum(['create', 'update', 'delete', 'run', 'reload', 'restart']),
};

const schema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('change'),
    ...change,
    cause: z.enum(['drift', 'fact', 'configuration']),
    facts: z.array(z.object({ name: z.string(), from: text, to: text })).optional(),
    attributes: z.array(z.object({ name: z.string(), from: text, to: text })),
    diff: z.string().optional(),
    knownAfter: z.string().optional(),
    why: z.string().optional(),
  }),
  z.object({
    type: z.literal('remark'),
    ...{ host: change.host, role: change.role, resource: change.resource },
    text: z.string(),
  }),
  z.object({ type: z.literal('notice'), host: z.string(), text: z.string() }),
  z.object({
    type: z.literal('result'),
    ...change,
    outcome: z.enum(['changed', 'failed', 'skipped']),
    reason: z.string().optional(),
    ms: z.number(),
    at: z.number().optional(),
    step: count.optional(),
  }),
  z.object({
    type: z.literal('error'),
    code: z.string().refine((code) => Object.hasOwn(errorCodes, code)),
    message: z.string(),
    host: z.string().optional(),
    place: z
      .union([
        z.object({ file: z.string(), line: z.number().optional(), column: z.number().optional() }),
        z.object({ host: z.string(), resource: z.string().optional() }),
      ])
      .optional(),
    found: z.string().optional(),
    expected: z.string().optional(),
    hint: z.string().optional(),
  }),
  z.object({
    type: z.literal('summary'),
    command: z.enum(['plan', 'apply', 'drift']),
    ok: z.boolean(),
    interrupted: z.literal(true).optional(),
    seconds: z.number(),
    run: z
      .object({
        id: z.string(),
        start: z.iso.datetime(),
        version: z.string(),
        who: z.string(),
        inventory: z.string(),
        limit: z.string().optional(),
        shard: z.string().optional(),
        roles: z.array(z.string()).optional(),
        commit: z.string().optional(),
        isClean: z.boolean().optional(),
      })
      .optional(),
    hosts: z.record(
      z.string(),
      z.object({
        resources: count,
        changes: count,
        pending: count.optional(),
        changed: count,
        failed: count,
        skipped: count,
        unreachable: z.boolean(),
        roundTrips: count,
      }),
    ),
  }),
]);

function isEvent(value: unknown): value is RecordedEvent | SummaryEvent {
  return schema.safeParse(value).success;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** A run that was cut off: its events are ignored, because the rest is unknown. */
function unfinished(file: string, lines: number, last: string | undefined): ErrorEvent {
  return {
    type: 'error',
    code: 'E_REPORT',
    message: 'the run is incomplete: its results are left out',
    place: { file, line: Math.max(lines, 1) },
    found: last === undefined ? 'an empty file' : `the last line is ${lines}, about ${last}`,
    expected: 'a summary as the last line',
    hint: 'find the cause in the standard error of that run, then run it again',
  };
}

/**
 * Reads the `--json` output of one run; an error event when the run is incomplete. Throws E_REPORT
 * for a line that is not an event, and for a line after the summary.
 */
export function readRecordedRun(file: string, content: string): RecordedRun | ErrorEvent {
  const lines = content.split('\n');
  // The text after the last line end is empty, or an incomplete line.
  lines.pop();
  const events: RecordedEvent[] = [];
  for (const [index, line] of lines.entries()) {
    const event = parseJson(line);
    const place = { file, line: index + 1 };
    if (!isEvent(event)) {
      throw new HostwrightError('E_REPORT', 'the line is not an event of a run', {
        place,
        found: JSON.stringify(line.slice(0, 80)),
        expected: 'the --json output of plan, apply or drift, one object per line',
        hint: 'redirect standard output alone: hostwright plan --json >FILE',
      });
    }
    if (event.type !== 'summary') {
      events.push(event);
      continue;
    }
    if (index < lines.length - 1) {
      throw new HostwrightError('E_REPORT', 'the file holds more than one run', {
        place,
        expected: 'no lines after the summary',
        hint: 'write each run to its own file',
      });
    }
    return { file, events, summary: event, line: index + 1 };
  }
  return unfinished(file, lines.length, events.at(-1)?.host);
}
