import { text } from 'node:stream/consumers';
import { PassThrough } from 'node:stream';
import { HostwrightError } from '../errors.ts';
import { Secret } from '../secrets/secret.ts';
import { prompt } from './prompt.ts';

/**
 * Reads a secret: typed without echo on a terminal, otherwise all of standard input without its last
 * line end. E_USAGE for an empty value, Interrupted on Ctrl-C.
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
    throw new HostwrightError('E_USAGE', 'the value is empty', {
      hint: 'type the value, or pass it on standard input',
    });
  }
  return new Secret(value);
}

async function typed(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  try {
    return await prompt(`${question}: `, { input, output, silent: new PassThrough().resume() });
  } finally {
    output.write('\n');
  }
}
