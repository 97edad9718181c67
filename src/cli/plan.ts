import { Command } from 'commander';
import { exitStatus, type ExitStatus } from './exit.ts';
import { newSalt, savePlan } from '../plan/saved.ts';
import type { SummaryEvent } from '../plan/event.ts';
import { watchInterrupts } from './interrupt.ts';
import { openRun, reportChanges, reportLost, type OpenRun } from './open-run.ts';
import { addRunOptions, planRequest, type RunOptions } from './options.ts';
import { hostSummaries, lostStatus } from './summary.ts';

interface PlanOptions extends RunOptions {
  readonly out?: string;
}

/** Saves the plan, and the generated secrets it was computed with: apply must find the same ones. */
async function save(
  file: string,
  { hosts, project }: OpenRun,
  options: PlanOptions,
  salt: string,
): Promise<void> {
  await project.generated.persist();
  await savePlan(file, {
    created: new Date().toISOString(),
    salt,
    request: planRequest(options, process.env),
    hosts: Object.fromEntries([...hosts].map(([name, { digests = {} }]) => [name, digests])),
  });
}

async function plan(options: PlanOptions): Promise<ExitStatus> {
  const { out } = options;
  const salt = out === undefined ? undefined : newSalt();
  const interrupts = watchInterrupts();
  const run = await openRun(options, salt === undefined ? {} : { salt }, interrupts.signal);
  interrupts.close();
  const { reporter, worker, hosts, lost, clock, origin } = run;
  try {
    reportChanges(run);
    reportLost(reporter, lost);
    const changes = [...hosts.values()].reduce((sum, host) => sum + host.changes, 0);
    const summary: SummaryEvent = {
      type: 'summary',
      command: 'plan',
      ok: lost.size === 0,
      seconds: clock.elapsed(),
      run: origin,
      hosts: hostSummaries(run),
    };
    reporter.showPlan(summary);
    const isSaved = out !== undefined && salt !== undefined && lost.size === 0;
    if (isSaved) await save(out, run, options, salt);
    reporter.report(summary);
    if (isSaved) process.stderr.write(`Saved. To apply exactly this plan: hostwright apply ${out}\n`);
    return lostStatus(lost) ?? (changes > 0 ? exitStatus.changes : exitStatus.ok);
  } finally {
    reporter.close();
    await worker.close();
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
