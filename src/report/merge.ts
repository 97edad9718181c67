import { formatPlace, HostwrightError } from '../errors.ts';
import type { HostSummary, SummaryEvent } from '../plan/event.ts';
import type { RecordedRun } from './recorded.ts';

function placeOf({ file, line }: RecordedRun): { readonly file: string; readonly line: number } {
  return { file, line };
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
  return {
    type: 'summary',
    command: first.command,
    ok: runs.every(({ summary }) => summary.ok),
    ...(runs.some(({ summary }) => summary.interrupted === true) && { interrupted: true }),
    seconds: Math.max(...runs.map(({ summary }) => summary.seconds)),
    hosts: Object.fromEntries(hosts),
  };
}
