import type { Running } from './activity.ts';
import { elapsed, hang } from './layout.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

function stepLines(running: readonly Running[], now: number, style: Style): string[] {
  return running.flatMap(({ host, title, steps, since }) => {
    const which = steps === 1 ? '' : `one of ${steps} steps: `;
    return hang(`  ${printable(host)}  `, `${which}${printable(title)}  ${elapsed(now - since)}`, style);
  });
}

/** The first interruption: the run waits for the current steps, which these lines name. */
export function interruptedLines(running: readonly Running[], now: number, style: Style): string[] {
  const [step, it] = running.length === 1 ? ['the current step', 'it'] : ['the current steps', 'them'];
  const text =
    running.length === 0
      ? 'Interrupted: no further steps are started.'
      : `Interrupted: waiting for ${step} to finish. Press Ctrl-C again to stop without waiting for ${it}.`;
  return [...hang('', text, style), ...stepLines(running, now, style)];
}

/** The second interruption: the steps that the hosts finish without the run. */
export function leftLines(running: readonly Running[], now: number, style: Style): string[] {
  if (running.length === 0) return hang('', 'Stopped at once: no step was running.', style);
  const isOne = running.length === 1;
  const text = isOne
    ? 'Stopped at once. The host finishes this step by itself and stays locked until then:'
    : 'Stopped at once. The hosts finish these steps by themselves and stay locked until then:';
  const next = 'Completed changes stay. Run the same command again to make the rest.';
  return [...hang('', text, style), ...stepLines(running, now, style), ...hang('', next, style)];
}
