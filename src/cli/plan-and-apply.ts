import { carryOut } from './carry-out.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import type { Interrupts } from './interrupt.ts';
import { openRun, reportChanges, reportLost, type OpenRun, type Purpose } from './open-run.ts';
import type { RunOptions } from './options.ts';
import { hostSummaries, isConfiguration } from './summary.ts';

export interface Consent extends Pick<Purpose, 'salt' | 'becomePassword' | 'watch'> {
  /** Seconds. */
  readonly confirmWithin: number;
  /** Asked once, when the plan was shown and has changes. */
  readonly agree: (run: OpenRun) => Promise<boolean>;
  /** Throws where the plan is not the one that was agreed to. */
  readonly check?: (run: OpenRun) => void;
}

/** Plans hosts, shows the plan, and carries it out if that is agreed to. */
export async function planAndApply(
  options: RunOptions,
  { confirmWithin, agree, check, ...purpose }: Consent,
  interrupts: Interrupts,
): Promise<ExitStatus> {
  const run = await openRun(options, { ...purpose, apply: { confirmWithin } }, interrupts.signal);
  const { reporter, worker, hosts, lost, clock } = run;
  try {
    reportChanges(run);
    reportLost(reporter, lost);
    reporter.showPlan({ seconds: clock.elapsed(), hosts: hostSummaries(run) });
    if ([...lost.values()].flat().some(isConfiguration)) {
      process.stderr.write('no changes made: fix the configuration first\n');
      return exitStatus.configuration;
    }
    check?.(run);
    const isIdle = [...hosts.values()].every(({ changes }) => changes === 0);
    if (!isIdle && !(await agree(run))) {
      process.stderr.write('no changes made\n');
      return exitStatus.failed;
    }
    await run.project.generated.persist();
    return await carryOut(run, options.forks, interrupts);
  } finally {
    reporter.close();
    await worker.close();
  }
}
