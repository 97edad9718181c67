import { Command, Option } from 'commander';
import pLimit from 'p-limit';
import { HostwrightError } from '../errors.ts';
import { selectHosts } from '../inventory/pattern.ts';
import { targetOf } from '../inventory/target.ts';
import { parseJournal, readJournal } from '../plan/journal.ts';
import { formatError } from '../report/error.ts';
import { errorEvent } from '../report/error-event.ts';
import { historyLines, mergeEntries, type HostEntry } from '../report/history-lines.ts';
import { chooseStyle, type Style } from '../report/style.ts';
import { askOne } from '../transport/ask.ts';
import { createConnect } from '../transport/connect.ts';
import type { Target } from '../transport/transport.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { askBecomePassword } from './open-run.ts';
import { extraVarsOption, forksOption, inventoryOption, positiveInteger } from './options.ts';
import { readProject, type ProjectOptions } from './project.ts';
import { parseSince } from './since.ts';

interface HistoryOptions extends Omit<ProjectOptions, 'site'> {
  readonly forks: number;
  readonly since?: Date;
  readonly last?: number;
  readonly json?: true;
  readonly askBecomePass?: true;
}

/** The journal of each host that can be reached, and why the others cannot. */
async function readHosts(
  targets: readonly Target[],
  forks: number,
): Promise<{ readonly entries: readonly HostEntry[]; readonly errors: readonly HostwrightError[] }> {
  const connect = createConnect();
  const limit = pLimit(forks);
  const errors: HostwrightError[] = [];
  const read = async (target: Target): Promise<readonly HostEntry[]> => {
    try {
      const transport = await connect(target);
      try {
        const { stdout } = await askOne(transport, readJournal, { isLast: true });
        return parseJournal(stdout).map((entry) => ({ host: target.host, entry }));
      } finally {
        await transport.close();
      }
    } catch (error) {
      if (!(error instanceof HostwrightError)) throw error;
      errors.push(error);
      return [];
    }
  };
  const entries = await Promise.all(targets.map((target) => limit(read, target)));
  return { entries: entries.flat(), errors };
}

function lineOf({ host, entry: { head, ...entry } }: HostEntry): string {
  return JSON.stringify({ type: 'history', host, ...head, ...entry });
}

async function history(patterns: readonly string[], options: HistoryOptions): Promise<ExitStatus> {
  const { inventory, variables } = await readProject(options, process.env);
  const hosts = await selectHosts(inventory, patterns.length === 0 ? 'all' : patterns.join(','), {});
  const becomePassword = await askBecomePassword(options);
  const targets = hosts.flatMap(({ name }) => {
    const own = variables.get(name);
    return own === undefined ? [] : [{ ...targetOf(name, own), ...(becomePassword && { becomePassword }) }];
  });
  const { entries, errors } = await readHosts(targets, options.forks);
  const since = options.since?.getTime() ?? 0;
  const runs = mergeEntries(entries.filter(({ entry }) => Date.parse(entry.head.start) >= since));
  const shown = options.last === undefined ? runs : runs.slice(-options.last);
  const isTTY = process.stdout.isTTY;
  const columns = (): number | undefined => (isTTY ? process.stdout.columns : undefined);
  const style: Style = chooseStyle({ env: process.env, isTTY, columns });
  const lines =
    options.json === true
      ? shown.flatMap((run) => run.hosts.map(lineOf))
      : shown.flatMap((run, index) => [...(index === 0 ? [] : ['']), ...historyLines(run, style)]);
  if (options.json === true) for (const error of errors) lines.push(JSON.stringify(errorEvent(error)));
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  if (shown.length === 0 && errors.length === 0) process.stderr.write('nothing is recorded\n');
  for (const error of errors) process.stderr.write(`${formatError(error)}\n`);
  return errors.length === 0 ? exitStatus.ok : exitStatus.unreachable;
}

/** `hostwright history [HOST...]`: what was done to hosts, from their own journals. */
export function historyCommand(finish: (status: ExitStatus) => void): Command {
  return new Command('history')
    .description('show what was done to hosts, when, by whom and from which commit; the newest comes last')
    .argument('[hosts...]', 'hosts, as in --limit (default: all)')
    .addOption(inventoryOption())
    .addOption(extraVarsOption())
    .addOption(forksOption())
    .addOption(
      new Option(
        '--since <time>',
        'only what began since then, such as 7d, 2026-11-22 or "2026-11-22 10:30"',
      ).argParser((text: string) => parseSince(text)),
    )
    .addOption(new Option('-n, --last <n>', 'only the last N runs').argParser(positiveInteger))
    .option('-K, --ask-become-pass', 'prompt for the sudo password')
    .option('--json', 'print one JSON object per line on stdout')
    .action(async (patterns: readonly string[], options: HistoryOptions) => {
      finish(await history(patterns, options));
    });
}
