import { formatPlace, HostwrightError } from '../errors.ts';
import type { HostSummary, RunOrigin, SummaryEvent } from '../plan/event.ts';
import type { RecordedEvent, RecordedRun } from './recorded.ts';

function placeOf({ file, line }: RecordedRun): { readonly file: string; readonly line: number } {
  return { file, line };
}

function startOf({ summary: { run } }: RecordedRun): number | undefined {
  return run === undefined ? undefined : Date.parse(run.start);
}

/** What several runs have in common: it began with the first of them. */
function mergeOrigins(runs: readonly RecordedRun[]): RunOrigin | undefined {
  const origins = runs.flatMap(({ summary: { run } }) => run ?? []);
  const [first] = origins.toSorted((one, other) => Date.parse(one.start) - Date.parse(other.start));
  if (first === undefined || origins.length === 1) return first;
  const isSame = (key: keyof RunOrigin): boolean =>
    origins.every((one) => JSON.stringify(one[key]) === JSON.stringify(first[key]));
  const { shard: _, limit, roles, commit, isClean, ...run } = first;
  return {
    ...run,
    who: [...new Set(origins.map(({ who }) => who))].join(', '),
    ...(limit !== undefined && isSame('limit') && { limit }),
    ...(roles !== undefined && isSame('roles') && { roles }),
    ...(commit !== undefined && isSame('commit') && { commit }),
    ...(isClean !== undefined && isSame('isClean') && { isClean }),
  };
}

/** The events of all runs, whose times count from the start of the first of them. */
export function mergeEvents(runs: readonly RecordedRun[]): readonly RecordedEvent[] {
  const starts = runs.flatMap((run) => startOf(run) ?? []);
  return runs.flatMap((run) => {
    const later = (startOf(run) ?? 0) - Math.min(...starts);
    return run.events.map((event) =>
      event.type === 'result' && event.at !== undefined && later > 0
        ? { ...event, at: event.at + later }
        : event,
    );
  });
}

/**
 * Merges the summaries of several runs: the hosts of all of them, the duration of the longest.
 * Throws E_REPORT when two runs share a host or are of different commands.
 */
export function mergeSummaries(runs: readonly [RecordedRun, ...RecordedRun[]]): SummaryEvent {
  const [{ summary: first }] = runs;
  const hosts = new Map<string, HostSummary>();
  const from = new Map<string, RecordedRun>();
  for (const run of runs) {
    if (run.summary.command !== first.command) {
      throw new HostwrightError('E_REPORT', 'the files come from different commands', {
        place: placeOf(run),
        found: run.summary.command,
        expected: `${first.command}, as in ${runs[0].file}`,
        hint: 'merge the shards of one run',
      });
    }
    for (const [name, host] of Object.entries(run.summary.hosts)) {
      const other = from.get(name);
      if (other !== undefined) {
        throw new HostwrightError('E_REPORT', `the host ${name} is in two files`, {
          place: placeOf(run),
          found: `also in ${formatPlace(placeOf(other))}`,
          expected: 'each host in one file',
          hint: 'merge runs with different --shard or --limit options, each file once',
        });
      }
      hosts.set(name, host);
      from.set(name, run);
    }
  }
  const run = mergeOrigins(runs);
  return {
    type: 'summary',
    command: first.command,
    ok: runs.every(({ summary }) => summary.ok),
    ...(runs.some(({ summary }) => summary.interrupted === true) && { interrupted: true }),
    seconds: Math.max(...runs.map(({ summary }) => summary.seconds)),
    ...(run !== undefined && { run }),
    hosts: Object.fromEntries(hosts),
  };
}
