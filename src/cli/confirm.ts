import { prompt } from './prompt.ts';

/** Whether somebody sits there to be asked. */
export function canAsk({ json }: { readonly json?: true }): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && json !== true;
}

/** A line of the terminal. Interrupted on Ctrl-C, and when `signal` is aborted. */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  return (await prompt(`${question} `, { input: process.stdin, output: process.stderr, signal })).trim();
}

export async function isConfirmed(question: string, signal: AbortSignal): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N]`, signal));
}
