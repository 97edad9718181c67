import { rename, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { exitStatus, type ExitStatus } from './exit.ts';
import { watchInterrupts } from './interrupt.ts';
import { addRunOptions, type RunOptions } from './options.ts';
import { openRun, reportChanges, reportLost } from './open-run.ts';
import { hostSummaries, hostSummary, lostStatus } from './summary.ts';

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
  const run = await openRun(options, {}, interrupts.signal);
  interrupts.close();
  const { reporter, worker, hosts, lost, clock, origin, events } = run;
  try {
    const drifted = new Map([...hosts.keys()].map((name) => [name, 0]));
    for (const event of events) {
      const { host } = event;
      if (event.type === 'change' && event.cause !== 'configuration')
        drifted.set(host, (drifted.get(host) ?? 0) + 1);
    }
    if (options.textfile !== undefined) await writeTextfile(options.textfile, drifted);
    reportChanges(run, ({ cause }) => cause !== 'configuration');
    reportLost(reporter, lost);
    reporter.report({
      type: 'summary',
      command: 'drift',
      ok: lost.size === 0,
      seconds: clock.elapsed(),
      run: origin,
      hosts: hostSummaries(run, (host, name) => {
        const changes = drifted.get(name) ?? 0;
        const pending = host.changes - changes;
        return hostSummary(host, { changes, ...(pending > 0 && { pending }) });
      }),
    });
    const isDrifted = [...drifted.values()].some((count) => count > 0);
    return lostStatus(lost) ?? (isDrifted ? exitStatus.changes : exitStatus.ok);
  } finally {
    reporter.close();
    await worker.close();
  }
}

/** `hostwright drift`: resources that differ from the last apply because of the host, for a timer or CI. */
export function driftCommand(finish: (status: ExitStatus) => void): Command {
  return addRunOptions(new Command('drift'))
    .description('show what has changed on hosts since the last apply')
    .option('--textfile <file>', 'also write the counts for the textfile collector of node_exporter')
    .action(async (options: DriftOptions) => {
      finish(await drift(options));
    });
}
