import { Command } from 'commander';
import pLimit from 'p-limit';
import { HostwrightError } from '../errors.ts';
import { selectHosts, type Selection } from '../inventory/pattern.ts';
import { targetOf } from '../inventory/target.ts';
import { formatError } from '../report/error.ts';
import { printableWhole } from '../report/printable.ts';
import { createConnect } from '../transport/connect.ts';
import { sh } from '../transport/shell.ts';
import type { Answer } from '../transport/transport.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { addHostOptions, forksOption } from './options.ts';
import { readProject } from './project.ts';

interface AdHocOptions extends Selection {
  readonly inventory?: string;
  readonly forks: number;
}

function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString('utf8').split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function show(host: string, answer: Answer): void {
  for (const line of linesOf(answer.stdout)) process.stdout.write(`${host} | ${printableWhole(line)}\n`);
  for (const line of linesOf(answer.stderr)) process.stderr.write(`${host} | ${printableWhole(line)}\n`);
  if (answer.code !== 0) process.stderr.write(`${host} | exit status ${answer.code}\n`);
}

async function run(pattern: string, words: readonly string[], options: AdHocOptions): Promise<ExitStatus> {
  const { inventory, variables } = await readProject(options, process.env);
  const hosts = await selectHosts(inventory, pattern, options);
  if (hosts.length === 0) process.stderr.write('this shard has no hosts\n');
  const connect = createConnect();
  const limit = pLimit(options.forks);
  let failed = false;
  let unreachable = false;
  await Promise.all(
    hosts.map(({ name }) =>
      limit(async () => {
        const own = variables.get(name);
        if (own === undefined) return;
        try {
          const transport = await connect(targetOf(name, own));
          try {
            // A single word is a shell command line (`run web -- 'df -h | tail -1'`); several words are one command.
            const [only] = words;
            const script = words.length === 1 && only !== undefined ? sh`sh -c ${only}` : sh`${words}`;
            const answer = await transport.request({ script });
            show(name, answer);
            failed ||= answer.code !== 0;
          } finally {
            await transport.close();
          }
        } catch (error) {
          if (!(error instanceof HostwrightError)) throw error;
          unreachable = true;
          process.stderr.write(`${formatError(error)}\n`);
        }
      }),
    ),
  );
  if (failed) return exitStatus.failed;
  return unreachable ? exitStatus.unreachable : exitStatus.ok;
}

/** `hostwright run PATTERN -- COMMAND`: an ad-hoc command on hosts, as root. */
export function runCommand(finish: (status: ExitStatus) => void): Command {
  return addHostOptions(new Command('run'))
    .description('run a command as root on hosts')
    .argument('<pattern>', 'hosts, as in --limit')
    .argument('<command...>', 'the command; a single word is run by sh')
    .addOption(forksOption())
    .action(async (pattern: string, words: readonly string[], options: AdHocOptions) => {
      finish(await run(pattern, words, options));
    });
}
