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

/** What a run does when it is interrupted: it ends with the steps in hand, which these lines name. */
export function interruptedLines(running: readonly Running[], now: number, style: Style): string[] {
  const [step, it] = running.length === 1 ? ['the current step', 'it'] : ['the current steps', 'them'];
  const text =
    running.length === 0
      ? 'Interrupted: no further step is started.'
      : `Interrupted: waiting for ${step} to finish. Press Ctrl-C again to leave without waiting for ${it}.`;
  return [...hang('', text, style), ...stepLines(running, now, style)];
}

/** What goes on without the run when it is left at once. */
export function leftLines(running: readonly Running[], now: number, style: Style): string[] {
  if (running.length === 0) return hang('', 'Left at once: no step was running.', style);
  const isOne = running.length === 1;
  const text = isOne
    ? 'Left at once. The host finishes this step on its own, and stays locked until then:'
    : 'Left at once. The hosts finish these steps on their own, and stay locked until then:';
  const next = 'Changes made so far stay. Run the same command again to make the rest.';
  return [...hang('', text, style), ...stepLines(running, now, style), ...hang('', next, style)];
}
