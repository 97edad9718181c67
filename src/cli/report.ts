import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { HostwrightError } from '../errors.ts';
import type { ErrorEvent, Event } from '../plan/event.ts';
import type { PlanReporter } from '../report/reporter.ts';
import { complaintLines } from '../report/error.ts';
import { pageOfRuns } from '../report/html/recording.ts';
import { mergeEvents, mergeSummaries } from '../report/merge.ts';
import { readRecordedRun, type RecordedEvent, type RecordedRun } from '../report/recorded.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { addReportOptions, type ReportOptions } from './options.ts';
import { openReporter } from './open-run.ts';
import { plainStyle } from '../report/style.ts';
import { isConfiguration } from './summary.ts';
import { reportPage, writePage } from './write-page.ts';

/** The first of these that occurs is the status of the merged run: 1 says that hosts were left half done, 4 that none was changed. */
const worstFirst: readonly ExitStatus[] = [
  exitStatus.failed,
  exitStatus.configuration,
  exitStatus.unreachable,
  exitStatus.changes,
];

/** A configuration error, of the whole run or of one host. */
function isRefusal(event: RecordedEvent): boolean {
  if (event.type !== 'error') return false;
  const isOfHost = event.host !== undefined || event.code === 'E_REPORT' || event.code === 'E_INTERNAL';
  return isConfiguration(event) || !isOfHost;
}

/** The exit status of a run, from its events. */
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

/** An error event when the file is missing: the other runs are still shown. */
async function readRun(file: string): Promise<RecordedRun | ErrorEvent> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    return {
      type: 'error',
      code: 'E_REPORT',
      message: 'the output file of a run cannot be read',
      place: { file },
      found: error instanceof Error ? error.message : String(error),
      hint: 'check whether that run was started',
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
  const events = mergeEvents(runs);
  const isPlanned = ({ type }: Event): boolean => type === 'change' || type === 'remark';
  for (const event of events) if (isPlanned(event)) reporter.report(event);
  if (merged.command === 'apply') reporter.showPlan(merged);
  for (const event of events) if (!isPlanned(event)) reporter.report(event);
  reporter.report({ ...merged, ok: merged.ok && isWhole });
}

/** Those that are complete, and what is wrong with the others; E_REPORT where none is. */
async function readRuns(files: readonly string[]): Promise<{
  readonly runs: readonly [RecordedRun, ...RecordedRun[]];
  readonly problems: readonly ErrorEvent[];
}> {
  const entries = await Promise.all(files.map(readRun));
  const [first, ...others] = entries.filter(isRun);
  const problems = entries.flatMap((entry) => (isRun(entry) ? [] : [entry]));
  if (first === undefined) {
    throw new HostwrightError('E_REPORT', 'no run is complete', {
      found: files.join(', '),
      expected: 'output files of plan, apply or drift with --json',
      hint: 'read what the runs printed on standard error',
    });
  }
  return { runs: [first, ...others], problems };
}

async function merge(files: readonly string[], options: ReportOptions): Promise<ExitStatus> {
  const { runs, problems } = await readRuns(files);
  const reporter = openReporter(options);
  try {
    for (const problem of problems) reporter.report(problem);
    show(runs, problems.length === 0, reporter);
  } finally {
    reporter.close();
  }
  const statuses = runs.map(statusOf);
  if (problems.length > 0) statuses.push(exitStatus.failed);
  return worstFirst.find((status) => statuses.includes(status)) ?? exitStatus.ok;
}

interface PageOptions {
  readonly out: string;
}

async function html(files: readonly string[], { out }: PageOptions): Promise<ExitStatus> {
  const { runs, problems } = await readRuns(files);
  const page = pageOfRuns(runs, reportPage());
  writePage(out, page);
  for (const problem of problems) process.stderr.write(`${complaintLines(problem, plainStyle).join('\n')}\n`);
  return problems.length === 0 ? exitStatus.ok : exitStatus.failed;
}

/** `hostwright report merge FILE...`: shows several runs, such as those of --shard, as one. */
export function reportCommand(finish: (status: ExitStatus) => void): Command {
  const merging = addReportOptions(new Command('merge'))
    .description('show several runs as one; the exit status is the worst of theirs')
    .argument('<file...>', 'output of plan, apply or drift with --json, one file per run')
    .action(async (files: readonly string[], options: ReportOptions) => {
      finish(await merge(files, options));
    });
  const page = new Command('html')
    .description('make one HTML file of one run, or of several that are shown as one')
    .argument('<file...>', 'output of plan, apply or drift with --json, one file per run')
    .option('-o, --out <file>', 'the file to write', 'report.html')
    .action(async (files: readonly string[], options: PageOptions) => {
      finish(await html(files, options));
    });
  return new Command('report')
    .description('show recorded runs, merged or as a page')
    .addCommand(merging)
    .addCommand(page);
}
