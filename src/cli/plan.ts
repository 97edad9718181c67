import { Command } from 'commander';
import { exitStatus, type ExitStatus } from './exit.ts';
import { addRunOptions, type RunOptions } from './options.ts';
import { hostSummary, lostStatus, lostSummary, reportLost, survey } from './survey.ts';

async function plan(options: RunOptions): Promise<ExitStatus> {
  const { reporter, hosts, lost, elapsed } = await survey(options, 'shared');
  try {
    reportLost(reporter, lost);
    const changes = [...hosts.values()].reduce((sum, host) => sum + host.plan.changes.size, 0);
    reporter.report({
      type: 'summary',
      command: 'plan',
      ok: lost.size === 0,
      seconds: elapsed(),
      hosts: {
        ...Object.fromEntries([...hosts].map(([name, host]) => [name, hostSummary(host)])),
        ...Object.fromEntries([...lost].map(([name, errors]) => [name, lostSummary(errors)])),
      },
    });
    return lostStatus(lost) ?? (changes > 0 ? exitStatus.changes : exitStatus.ok);
  } finally {
    reporter.close();
    await Promise.all([...hosts.values()].map(({ transport }) => transport.close()));
  }
}

/** `hostwright plan`: shows what `apply` would do and changes nothing. */
export function planCommand(finish: (status: ExitStatus) => void): Command {
  return addRunOptions(new Command('plan'))
    .alias('check')
    .description('show what apply would change, and change nothing')
    .action(async (options: RunOptions) => {
      finish(await plan(options));
    });
}
