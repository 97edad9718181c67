import type { Event } from '../plan/event.ts';
import type { Reporter } from './reporter.ts';
import type { Output } from './style.ts';

/** One JSON object per line for every event but steps, which are only for the live view. */
export function createJsonReporter(output: Output, options: { readonly diff: boolean }): Reporter {
  const write = (event: Event): void => {
    output.write(`${JSON.stringify(event)}\n`);
  };
  return {
    report(event) {
      if (event.type === 'step') return;
      if (event.type === 'change' && event.diff !== undefined && !options.diff) {
        const { diff: _, ...rest } = event;
        write(rest);
      } else write(event);
    },
    close() {
      // Nothing is held back.
    },
  };
}
