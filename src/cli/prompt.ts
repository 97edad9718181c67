import { createInterface } from 'node:readline/promises';
import { Interrupted } from './interrupt.ts';

export interface PromptOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Cancels the prompt, as Ctrl-C does. */
  readonly signal?: AbortSignal;
  /** Discards the echo. */
  readonly silent?: NodeJS.WritableStream;
}

/** Reads a line from a terminal; empty on Ctrl-D, Interrupted on Ctrl-C (which is not a signal while a line is typed). */
export async function prompt(question: string, options: PromptOptions): Promise<string> {
  const { input, output, silent, signal } = options;
  // Readline echoes to its own output.
  const line = createInterface({ input, output: silent ?? output, terminal: true, historySize: 0 });
  if (silent !== undefined) output.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      const interrupt = (): void => {
        if (silent === undefined) output.write('\n');
        reject(new Interrupted());
      };
      if (signal?.aborted === true) interrupt();
      signal?.addEventListener('abort', interrupt, { once: true });
      line.once('line', resolve);
      line.once('SIGINT', interrupt);
      line.once('close', () => resolve(''));
      if (silent === undefined) {
        line.setPrompt(question);
        line.prompt();
      }
    });
  } finally {
    line.close();
  }
}
