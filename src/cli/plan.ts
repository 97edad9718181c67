import { Command } from 'commander';
import { exitStatus, type ExitStatus } from './exit.ts';
import { savePlan } from '../plan/saved.ts';
import type { SummaryEvent } from '../plan/event.ts';
import { watchInterrupts } from './interrupt.ts';
import { addRunOptions, planRequest, type RunOptions } from './options.ts';
import {
  hostSummary,
  lostStatus,
  lostSummary,
  reportChanges,
  reportLost,
  survey,
  type Surveyed,
} from './survey.ts';

interface PlanOptions extends RunOptions {
  readonly out?: string;
}

/** Saves the plan, and the generated secrets it was computed with: apply must find the same ones. */
async function save(file: string, { hosts, project }: Surveyed, options: PlanOptions): Promise<void> {
  await project.generated.persist();
  const plans = new Map([...hosts].map(([name, host]) => [name, host.plan]));
  await savePlan(file, planRequest(options, process.env), plans, new Date());
}

async function plan(options: PlanOptions): Promise<ExitStatus> {
  const interrupts = watchInterrupts();
  const surveyed = await survey(options, 'shared', interrupts.signal);
  interrupts.close();
  const { reporter, hosts, lost, clock } = surveyed;
  try {
    reportChanges(surveyed);
    reportLost(reporter, lost);
    const changes = [...hosts.values()].reduce((sum, host) => sum + host.plan.changes.size, 0);
    const summary: SummaryEvent = {
      type: 'summary',
      command: 'plan',
      ok: lost.size === 0,
      seconds: clock.elapsed(),
      hosts: {
        ...Object.fromEntries([...hosts].map(([name, host]) => [name, hostSummary(host)])),
        ...Object.fromEntries([...lost].map(([name, errors]) => [name, lostSummary(errors)])),
      },
    };
    reporter.showPlan(summary);
    const isSaved = options.out !== undefined && lost.size === 0;
    if (isSaved) await save(options.out, surveyed, options);
    reporter.report(summary);
    if (isSaved) process.stderr.write(`Saved. To apply exactly this plan: hostwright apply ${options.out}\n`);
    return lostStatus(lost) ?? (changes > 0 ? exitStatus.changes : exitStatus.ok);
  } finally {
    reporter.close();
    await Promise.all([...hosts.values()].map(({ transport }) => transport.close()));
  }
}

/** `hostwright plan`: shows what `apply` would change. Changes nothing. */
export function planCommand(finish: (status: ExitStatus) => void): Command {
  return addRunOptions(new Command('plan'))
    .description('show what apply would change, and change nothing')
    .option('-o, --out <file>', 'save the plan; `apply FILE` applies exactly this plan, or nothing')
    .action(async (options: PlanOptions) => {
      finish(await plan(options));
    });
}
