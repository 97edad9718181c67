import { Command } from 'commander';
import { HostwrightError } from '../errors.ts';
import { readSavedPlan } from '../plan/saved.ts';
import { carryOut } from './carry-out.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { watchInterrupts } from './interrupt.ts';
import { openRun, reportChanges, reportLost } from './open-run.ts';
import { addRunOptions, confirmOption, type RunOptions } from './options.ts';
import { prompt } from './prompt.ts';
import { checkSaved, savedOptions } from './saved-plan.ts';
import { hostSummaries, isConfiguration } from './summary.ts';

interface ApplyOptions extends RunOptions {
  readonly yes?: true;
  readonly confirmWithin: number;
}

async function isConfirmed(signal: AbortSignal): Promise<boolean> {
  const terminal = { input: process.stdin, output: process.stderr, signal };
  return /^y(es)?$/i.test((await prompt('Apply these changes? [y/N] ', terminal)).trim());
}

async function apply(file: string | undefined, given: ApplyOptions): Promise<ExitStatus> {
  const saved = file === undefined ? undefined : await readSavedPlan(file);
  const options = saved === undefined ? given : savedOptions(saved, given);
  const isAgreed = options.yes === true || saved !== undefined;
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY && options.json !== true;
  if (!isAgreed && !isInteractive) {
    throw new HostwrightError('E_USAGE', 'apply cannot ask for confirmation here', {
      found: 'no terminal',
      hint: 'add --yes, or save a plan with `hostwright plan --out FILE` and apply that',
    });
  }
  const { confirmWithin, forks } = options;
  const interrupts = watchInterrupts();
  const purpose = { apply: { confirmWithin }, ...(saved && { salt: saved.salt }) };
  const run = await openRun(options, purpose, interrupts.signal);
  const { reporter, worker, hosts, lost, clock } = run;
  try {
    reportChanges(run);
    reportLost(reporter, lost);
    reporter.showPlan({ seconds: clock.elapsed(), hosts: hostSummaries(run) });
    if ([...lost.values()].flat().some(isConfiguration)) {
      process.stderr.write('no changes made: fix the configuration first\n');
      return exitStatus.configuration;
    }
    if (file !== undefined && saved !== undefined) checkSaved(file, saved, run);
    const isIdle = [...hosts.values()].every(({ changes }) => changes === 0);
    if (!isIdle && !isAgreed && !(await clock.pause(() => isConfirmed(interrupts.signal)))) {
      process.stderr.write('no changes made\n');
      return exitStatus.failed;
    }
    await run.project.generated.persist();
    return await carryOut(run, forks, interrupts);
  } finally {
    interrupts.close();
    reporter.close();
    await worker.close();
  }
}

/** `hostwright apply`: brings the hosts into the declared state. */
export function applyCommand(finish: (status: ExitStatus) => void): Command {
  return addRunOptions(new Command('apply'))
    .description('bring hosts into the declared state')
    .argument('[plan]', 'a plan saved with `plan --out`; applies exactly this plan, or nothing')
    .option('-y, --yes', 'apply without asking')
    .addOption(confirmOption())
    .action(async (file: string | undefined, options: ApplyOptions) => {
      finish(await apply(file, options));
    });
}
