import { Command } from 'commander';
import pLimit from 'p-limit';
import { HostwrightError } from '../errors.ts';
import { selectHosts, type Selection } from '../inventory/pattern.ts';
import { targetOf } from '../inventory/target.ts';
import type { Entry } from '../logs/entry.ts';
import type { Query } from '../logs/journalctl.ts';
import { mergeByTime, type Source } from '../logs/merge.ts';
import { hostJournal } from '../logs/source.ts';
import { formatError } from '../report/error.ts';
import { errorEvent } from '../report/error-event.ts';
import { coloursOf, logJson, logLines } from '../report/log-lines.ts';
import { chooseStyle } from '../report/style.ts';
import { createMask, secretsIn } from '../secrets/mask.ts';
import { createConnect } from '../transport/connect.ts';
import type { Transport } from '../transport/transport.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { addHostOptions, forksOption } from './options.ts';
import { readProject } from './project.ts';
import { RepeatableOption } from './repeatable.ts';

interface LogOptions extends Selection {
  readonly inventory?: string;
  readonly forks: number;
  readonly since: string;
  readonly until?: string;
  readonly unit?: readonly string[];
  readonly grep?: string;
  readonly priority?: string;
  readonly follow?: true;
  readonly json?: true;
}

/** Milliseconds that a new line waits for older ones of other hosts, and for hosts that are not there yet. */
const live = { patience: 300, startPatience: 5000 };

/** Milliseconds until it is said which hosts the others wait for. */
const noticeable = 3000;

function queryOf({ since, until, unit = [], grep, priority, follow }: LogOptions): Query {
  if (follow === true && until !== undefined) {
    throw new HostwrightError('E_USAGE', '--follow has no end', {
      found: `--until ${until}`,
      hint: 'remove --until or --follow',
    });
  }
  return {
    since,
    units: unit,
    ...(until === undefined ? {} : { until }),
    ...(grep === undefined ? {} : { grep }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function maskedEntry(entry: Entry, mask: (text: string) => string): Entry {
  const { unit, identifier, message } = entry;
  return {
    ...entry,
    ...(unit === undefined ? {} : { unit: mask(unit) }),
    ...(identifier === undefined ? {} : { identifier: mask(identifier) }),
    ...(message === undefined ? {} : { message: mask(message) }),
  };
}

/** Writes as fast as the reader of standard output reads. */
async function write(text: string): Promise<void> {
  if (process.stdout.write(text)) return;
  await new Promise<void>((resolve) => {
    process.stdout.once('drain', resolve);
  });
}

async function logs(pattern: string, options: LogOptions): Promise<ExitStatus> {
  const query = queryOf(options);
  const follows = options.follow === true;
  const { inventory, variables } = await readProject(options, process.env);
  const hosts = (await selectHosts(inventory, pattern, options)).map(({ name }) => name);
  if (hosts.length === 0) process.stderr.write('this shard has no hosts\n');
  const mask = createMask(secretsIn(variables));
  const style = chooseStyle({
    env: process.env,
    isTTY: process.stdout.isTTY,
    columns: () => (process.stdout.isTTY ? process.stdout.columns : undefined),
  });
  const colours = coloursOf(hosts);
  const connect = createConnect();
  const limit = pLimit(options.forks);
  const open = new Set<Transport>();
  const silent = new Set(hosts);
  let status: ExitStatus = exitStatus.ok;

  const tell = (error: HostwrightError, host: string): void => {
    if (options.json === true) process.stdout.write(`${JSON.stringify(errorEvent(error, host))}\n`);
    process.stderr.write(`${formatError(error)}\n`);
    const isUnreachable = error.code !== 'E_REMOTE';
    if (!isUnreachable) status = exitStatus.failed;
    else if (status === exitStatus.ok) status = exitStatus.unreachable;
  };
  const sourceOf = async function* (host: string): Source {
    const own = variables.get(host);
    if (own === undefined) return;
    try {
      const journal = hostJournal({
        connect: async () => {
          const transport = await limit(connect, targetOf(host, own));
          open.add(transport);
          return transport;
        },
        query,
        follows,
        onLost: (error) => tell(error, host),
        onBack: () => process.stderr.write(`${host}: connected again\n`),
      });
      for await (const entries of journal) {
        silent.delete(host);
        yield entries;
      }
    } catch (error) {
      // What journalctl refuses, it refuses on every host.
      if (!(error instanceof HostwrightError) || error.code === 'E_USAGE') throw error;
      tell(error, host);
    } finally {
      silent.delete(host);
    }
  };

  const notice = setTimeout(() => {
    if (silent.size > 0) process.stderr.write(`waiting for ${[...silent].join(', ')}\n`);
  }, noticeable);
  try {
    for await (const entries of mergeByTime(hosts.map(sourceOf), follows ? live : {})) {
      const lines = entries
        .map((entry) => maskedEntry(entry, mask))
        .flatMap((entry) => (options.json === true ? [logJson(entry)] : logLines(entry, colours, style)));
      await write(`${lines.join('\n')}\n`);
    }
  } finally {
    clearTimeout(notice);
    // After an error, others may still be waiting.
    await Promise.all([...open].map(async (transport) => transport.close()));
  }
  return status;
}

/** `hostwright logs [PATTERN]`: the journals of hosts, merged by time. */
export function logsCommand(finish: (status: ExitStatus) => void): Command {
  return addHostOptions(new Command('logs'))
    .description('show the journals of hosts, merged by time')
    .argument('[pattern]', 'hosts, as in --limit', 'all')
    .option(
      '--since <time>',
      'from this time on, as journalctl takes it: "2026-03-01 10:00", yesterday, -2h',
      '-10m',
    )
    .option('--until <time>', 'up to this time')
    .addOption(new RepeatableOption('-u, --unit <name>', 'only this unit, such as nginx or "haproxy*"'))
    .option('-g, --grep <pattern>', 'only messages that match this regular expression of Perl')
    .option('-p, --priority <priority>', 'only this priority and more important ones, such as err or 4')
    .option('--follow', 'go on with new lines, until Ctrl-C')
    .option('--json', 'print one JSON object per line on stdout')
    .addOption(forksOption())
    .action(async (pattern: string, options: LogOptions) => {
      finish(await logs(pattern, options));
    });
}
