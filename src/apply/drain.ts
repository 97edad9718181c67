import { HostwrightError } from '../errors.ts';
import type { PlannedDrain } from '../plan/drain.ts';
import { beginDrain, drainFile, endDrain, settle } from '../resources/drain.ts';
import { askOne } from '../transport/ask.ts';
import { lines, sh } from '../transport/shell.ts';
import type { HostRun } from './host-run.ts';

/** For a controller that dies: the host serves again so many minutes after its requests must have ended. */
const minutesForChanges = 10;

/**
 * Takes a host out of service and waits for the requests in hand. Gives whether it is to be put in again: not where
 * it does not serve, and not where somebody else has taken it out. E_REMOTE where it cannot be taken out.
 */
export async function takeOut(
  { plan, transport, report }: HostRun,
  { drain }: PlannedDrain,
): Promise<boolean> {
  report({ type: 'step', host: plan.host, title: 'take it out of service, wait for requests in hand' });
  const script = lines([
    sh`if [ -e ${drainFile(drain)} ]; then exit; fi
hw_serves() {`,
    drain.inHand,
    sh`}
hw_serves >/dev/null 2>&1 || exit 0
echo taken`,
    beginDrain(drain, minutesForChanges + Math.ceil((drain.noticed + drain.ended) / 60)),
    settle(drain),
  ]);
  const timeout = (drain.noticed + drain.ended + 60) * 1000;
  const { code, stdout, stderr } = await askOne(transport, { script }, { timeout });
  if (code !== 0) {
    throw new HostwrightError('E_REMOTE', 'the host cannot be taken out of service', {
      place: { host: plan.host },
      found: stderr.toString('utf8').trim(),
      hint: 'a change that costs requests is not begun then; repair this first, then run apply again',
    });
  }
  return stdout.toString('utf8').startsWith('taken');
}

/** Puts it in service again, and waits until others send it requests: the next host may be taken out then. */
export async function putIn({ plan, transport, report }: HostRun, { drain }: PlannedDrain): Promise<void> {
  report({ type: 'step', host: plan.host, title: 'put it in service again' });
  await askOne(transport, { script: lines([endDrain(drain), sh`sleep ${drain.noticed}`]) });
}
