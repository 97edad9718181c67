import { Command } from 'commander';
import { exitStatus, type ExitStatus } from './exit.ts';
import { savePlan } from '../plan/saved.ts';
import { addRunOptions, planRequest, type RunOptions } from './options.ts';
import { hostSummary, lostStatus, lostSummary, reportChanges, reportLost, survey } from './survey.ts';

interface PlanOptions extends RunOptions {
  readonly out?: string;
}

async function plan(options: PlanOptions): Promise<ExitStatus> {
  const surveyed = await survey(options, 'shared');
  const { reporter, hosts, lost, elapsed, project } = surveyed;
  try {
    reportChanges(surveyed);
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
    if (options.out !== undefined && lost.size === 0) {
      // The secrets that the plan was computed with must be those that apply finds.
      await project.generated.persist();
      const plans = new Map([...hosts].map(([name, host]) => [name, host.plan]));
      await savePlan(options.out, planRequest(options, process.env), plans, new Date());
      process.stderr.write(`saved: hostwright apply ${options.out} does this and nothing else\n`);
    }
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
    .option('-o, --out <file>', 'save the plan; `apply FILE` carries out this plan or nothing')
    .action(async (options: PlanOptions) => {
      finish(await plan(options));
    });
}
