import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { PassThrough } from 'node:stream';
import { HostwrightError } from '../errors.ts';
import { Secret } from '../secrets/secret.ts';

/**
 * A secret from the user: typed without an echo on a terminal, else all of standard input without its last
 * line end. E_USAGE where there is none.
 */
export async function askSecret(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WritableStream,
): Promise<Secret> {
  const value = input.isTTY
    ? await typed(question, input, output)
    : (await text(input)).replace(/\r?\n$/, '');
  if (value === '') {
    throw new HostwrightError('E_USAGE', 'there is no value to store', {
      hint: 'type it, or give it on standard input',
    });
  }
  return new Secret(value);
}

async function typed(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  // Readline echoes to its own output, which nobody reads.
  const silent = new PassThrough().resume();
  const prompt = createInterface({ input, output: silent, terminal: true, historySize: 0 });
  output.write(`${question}: `);
  try {
    return await new Promise<string>((resolve) => {
      prompt.once('line', resolve);
      // Ctrl-C and Ctrl-D.
      prompt.once('SIGINT', () => {
        resolve('');
      });
      prompt.once('close', () => {
        resolve('');
      });
    });
  } finally {
    prompt.close();
    output.write('\n');
  }
}
