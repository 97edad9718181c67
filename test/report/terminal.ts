import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { ChangeEvent, HostSummary, ResultEvent, RunOrigin, SummaryEvent } from '../../src/plan/event.ts';
import type { PlanReporter } from '../../src/report/reporter.ts';
import type { Terminal } from '../../src/report/style.ts';
import { createReporter, type ReporterOptions } from '../../src/report/create-reporter.ts';

interface Captured {
  readonly reporter: PlanReporter;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Lines of stdout without colours and cursor movements. */
  readonly lines: () => string[];
}

function sink(columns: number | undefined, rows: number): { stream: Terminal; text: () => string } {
  const chunks: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return {
    stream: Object.assign(stream, { columns, rows }),
    text: () => chunks.join(''),
  };
}

/** A reporter whose outputs are kept; a pipe unless said. */
export function capture(options: Partial<ReporterOptions> & { rows?: number } = {}): Captured {
  const out = sink(options.columns, options.rows ?? 24);
  const err = sink(undefined, 24);
  const reporter = createReporter({
    mode: 'human',
    stdout: out.stream,
    stderr: err.stream,
    isTTY: false,
    env: { LANG: 'C.UTF-8' },
    diff: true,
    ...options,
  });
  return {
    reporter,
    stdout: out.text,
    stderr: err.text,
    lines: () => stripVTControlCharacters(out.text()).split('\n'),
  };
}

export function change(host: string, role: string, more: Partial<ChangeEvent> = {}): ChangeEvent {
  return {
    type: 'change',
    host,
    role,
    resource: 'file:/etc/motd',
    action: 'create',
    cause: 'configuration',
    attributes: [],
    ...more,
  };
}

export function result(host: string, role: string, more: Partial<ResultEvent> = {}): ResultEvent {
  return {
    type: 'result',
    host,
    role,
    resource: 'file:/etc/motd',
    action: 'create',
    outcome: 'changed',
    ms: 10,
    ...more,
  };
}

export function host(more: Partial<HostSummary> = {}): HostSummary {
  return {
    resources: 10,
    changes: 0,
    changed: 0,
    failed: 0,
    skipped: 0,
    unreachable: false,
    roundTrips: 2,
    ...more,
  };
}

export function summary(hosts: SummaryEvent['hosts'], more: Partial<SummaryEvent> = {}): SummaryEvent {
  return { type: 'summary', command: 'plan', ok: true, seconds: 0.8, hosts, ...more };
}

export function origin(more: Partial<RunOrigin> = {}): RunOrigin {
  return {
    ...{ id: '1', start: '2026-11-22T10:00:00.000Z', version: '0.1.0' },
    ...{ who: 'anna@laptop', inventory: '/site/inventory' },
    ...more,
  };
}
