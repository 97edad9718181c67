import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { HostwrightError } from '../errors.ts';
import type { ErrorEvent } from '../plan/event.ts';
import type { PlanReporter } from '../report/reporter.ts';
import { mergeSummaries } from '../report/merge.ts';
import { readRecordedRun, type RecordedEvent, type RecordedRun } from '../report/recorded.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { addReportOptions, type ReportOptions } from './options.ts';
import { isConfiguration, openReporter } from './survey.ts';

/** Of several statuses the first of these wins: 1 says that hosts were left half way, 4 that none was touched. */
const worstFirst: readonly ExitStatus[] = [
  exitStatus.failed,
  exitStatus.configuration,
  exitStatus.unreachable,
  exitStatus.changes,
];

/** It was refused before its first host, or the configuration does not fit one. */
function isRefusal(event: RecordedEvent): boolean {
  if (event.type !== 'error') return false;
  const isOfHost = event.host !== undefined || event.code === 'E_REPORT' || event.code === 'E_INTERNAL';
  return isConfiguration(event) || !isOfHost;
}

/** The status that a run ended with, from what it wrote. */
function statusOf({ events, summary }: RecordedRun): ExitStatus {
  const hosts = Object.values(summary.hosts);
  if (events.some(isRefusal)) return exitStatus.configuration;
  if (hosts.some((host) => host.failed > 0 || (host.skipped > 0 && !host.unreachable)))
    return exitStatus.failed;
  if (hosts.some(({ unreachable }) => unreachable)) return exitStatus.unreachable;
  if (!summary.ok) return exitStatus.failed;
  const isPlan = summary.command !== 'apply';
  return isPlan && hosts.some(({ changes }) => changes > 0) ? exitStatus.changes : exitStatus.ok;
}

/** An error event where the file is not there: the runs of the others are still worth to be seen. */
async function readRun(file: string): Promise<RecordedRun | ErrorEvent> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    return {
      type: 'error',
      code: 'E_REPORT',
      message: 'the output of a run cannot be read',
      place: { file },
      found: error instanceof Error ? error.message : String(error),
      hint: 'see whether that run has begun',
    };
  }
  return readRecordedRun(file, content);
}

function isRun(entry: RecordedRun | ErrorEvent): entry is RecordedRun {
  return 'summary' in entry;
}

function show(
  runs: readonly [RecordedRun, ...RecordedRun[]],
  isWhole: boolean,
  reporter: PlanReporter,
): void {
  const merged = mergeSummaries(runs);
  const events = runs.flatMap((run) => run.events);
  for (const event of events) if (event.type === 'change') reporter.report(event);
  if (merged.command === 'apply') reporter.showPlan(merged);
  for (const event of events) if (event.type !== 'change') reporter.report(event);
  reporter.report({ ...merged, ok: merged.ok && isWhole });
}

async function merge(files: readonly string[], options: ReportOptions): Promise<ExitStatus> {
  const entries = await Promise.all(files.map(readRun));
  const [first, ...others] = entries.filter(isRun);
  const problems = entries.flatMap((entry) => (isRun(entry) ? [] : [entry]));
  if (first === undefined) {
    throw new HostwrightError('E_REPORT', 'none of the runs has come to its end', {
      found: files.join(', '),
      expected: 'files with what plan, apply or drift wrote with --json',
      hint: 'see what the runs wrote on standard error',
    });
  }
  const reporter = openReporter(options);
  try {
    for (const problem of problems) reporter.report(problem);
    show([first, ...others], problems.length === 0, reporter);
  } finally {
    reporter.close();
  }
  const statuses = [first, ...others].map(statusOf);
  if (problems.length > 0) statuses.push(exitStatus.failed);
  return worstFirst.find((status) => statuses.includes(status)) ?? exitStatus.ok;
}

/** `hostwright report merge FILE...`: several runs, such as the parts of --shard, as one. */
export function reportCommand(finish: (status: ExitStatus) => void): Command {
  const merging = addReportOptions(new Command('merge'))
    .description('show several runs as one; the exit status is the worst of them')
    .argument('<file...>', 'output of plan, apply or drift with --json, one file per run')
    .action(async (files: readonly string[], options: ReportOptions) => {
      finish(await merge(files, options));
    });
  return new Command('report').description('merge the output of several runs').addCommand(merging);
}
