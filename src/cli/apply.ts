import { Command } from 'commander';
import { HostwrightError } from '../errors.ts';
import { readSavedPlan } from '../plan/saved.ts';
import { formatError } from '../report/error.ts';
import { recordingReporter } from '../report/html/recording.ts';
import { canAsk, isConfirmed } from './confirm.ts';
import type { ExitStatus } from './exit.ts';
import { watchInterrupts } from './interrupt.ts';
import { addRunOptions, confirmOption, type RunOptions } from './options.ts';
import { planAndApply, type Consent } from './plan-and-apply.ts';
import { checkSaved, savedOptions } from './saved-plan.ts';
import { checkWritable, reportPage, writePage } from './write-page.ts';

interface ApplyOptions extends RunOptions {
  readonly yes?: true;
  readonly report?: string;
  readonly confirmWithin: number;
}

/** What was done stays done where its report cannot be written. */
function keep(file: string, page: string): void {
  try {
    writePage(file, page);
  } catch (error) {
    process.stderr.write(`${formatError(error)}\n`);
  }
}

async function apply(file: string | undefined, given: ApplyOptions): Promise<ExitStatus> {
  const saved = file === undefined ? undefined : await readSavedPlan(file);
  const options = saved === undefined ? given : savedOptions(saved, given);
  const isAgreed = options.yes === true || saved !== undefined;
  if (!isAgreed && !canAsk(options)) {
    throw new HostwrightError('E_USAGE', 'apply cannot ask for confirmation here', {
      found: 'no terminal',
      hint: 'add --yes, or save a plan with `hostwright plan --out FILE` and apply that',
    });
  }
  const { report: page } = options;
  if (page !== undefined) checkWritable(page);
  const parts = page === undefined ? { script: '', style: '' } : reportPage();
  const interrupts = watchInterrupts();
  const { signal } = interrupts;
  const consent: Consent = {
    confirmWithin: options.confirmWithin,
    ...(page !== undefined && {
      watch: (reporter) => recordingReporter(reporter, parts, (text) => keep(page, text)),
    }),
    agree: async ({ clock }) => isAgreed || clock.pause(() => isConfirmed('Apply these changes?', signal)),
    ...(file !== undefined &&
      saved !== undefined && { salt: saved.salt, check: (run) => checkSaved(file, saved, run) }),
  };
  try {
    return await planAndApply(options, consent, interrupts);
  } finally {
    interrupts.close();
  }
}

/** `hostwright apply`: brings the hosts into the declared state. */
export function applyCommand(finish: (status: ExitStatus) => void): Command {
  return addRunOptions(new Command('apply'))
    .description('bring hosts into the declared state')
    .argument('[plan]', 'a plan saved with `plan --out`; applies exactly this plan, or nothing')
    .option('-y, --yes', 'apply without asking')
    .option('--report <file>', 'also write a report as one HTML file')
    .addOption(confirmOption())
    .action(async (file: string | undefined, options: ApplyOptions) => {
      finish(await apply(file, options));
    });
}
