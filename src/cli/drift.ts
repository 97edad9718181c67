import { rename, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { exitStatus, type ExitStatus } from './exit.ts';
import { watchInterrupts } from './interrupt.ts';
import { addRunOptions, type RunOptions } from './options.ts';
import { hostSummary, lostStatus, lostSummary, reportChanges, reportLost, survey } from './survey.ts';

interface DriftOptions extends RunOptions {
  readonly textfile?: string;
}

/** For node_exporter's textfile collector, which may read at any moment: the file is replaced atomically. */
async function writeTextfile(file: string, drifted: ReadonlyMap<string, number>): Promise<void> {
  const lines = [
    '# HELP hostwright_drifted_resources Resources that differ from the last apply.',
    '# TYPE hostwright_drifted_resources gauge',
    ...[...drifted].map(
      ([host, count]) => `hostwright_drifted_resources{host=${JSON.stringify(host)}} ${count}`,
    ),
  ];
  await writeFile(`${file}.part`, `${lines.join('\n')}\n`);
  await rename(`${file}.part`, file);
}

async function drift(options: DriftOptions): Promise<ExitStatus> {
  const interrupts = watchInterrupts();
  const surveyed = await survey(options, 'shared', interrupts.signal);
  interrupts.close();
  const { reporter, hosts, lost, clock } = surveyed;
  try {
    const drifted = new Map(
      [...hosts].map(([name, { events }]) => [name, events.filter(({ cause }) => cause === 'drift').length]),
    );
    if (options.textfile !== undefined) await writeTextfile(options.textfile, drifted);
    reportChanges(surveyed, ({ cause }) => cause === 'drift');
    reportLost(reporter, lost);
    reporter.report({
      type: 'summary',
      command: 'drift',
      ok: lost.size === 0,
      seconds: clock.elapsed(),
      hosts: {
        ...Object.fromEntries(
          [...hosts].map(([name, host]) => {
            const changes = drifted.get(name) ?? 0;
            const pending = host.plan.changes.size - changes;
            return [name, hostSummary(host, { changes, ...(pending > 0 && { pending }) })];
          }),
        ),
        ...Object.fromEntries([...lost].map(([name, errors]) => [name, lostSummary(errors)])),
      },
    });
    const isDrifted = [...drifted.values()].some((count) => count > 0);
    return lostStatus(lost) ?? (isDrifted ? exitStatus.changes : exitStatus.ok);
  } finally {
    reporter.close();
    await Promise.all([...hosts.values()].map(({ transport }) => transport.close()));
  }
}

/** `hostwright drift`: resources that differ from the last apply, for a timer or CI. */
export function driftCommand(finish: (status: ExitStatus) => void): Command {
  return addRunOptions(new Command('drift'))
    .description('show what has changed on hosts since the last apply')
    .option('--textfile <file>', 'also write the counts for the textfile collector of node_exporter')
    .action(async (options: DriftOptions) => {
      finish(await drift(options));
    });
}
