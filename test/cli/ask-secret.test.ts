import { PassThrough } from 'node:stream';
import { ReadStream } from 'node:tty';
import { describe, expect, test } from 'vitest';
import { askSecret } from '../../src/cli/ask-secret.ts';

/** Standard input with `text` on it. */
function input(text: string): NodeJS.ReadStream {
  const stream: unknown = Object.assign(new PassThrough(), { isTTY: false });
  if (!isReadStream(stream)) throw new TypeError('no stream');
  stream.push(text);
  stream.push(null);
  return stream;
}

function isReadStream(stream: unknown): stream is NodeJS.ReadStream {
  return stream instanceof PassThrough || stream instanceof ReadStream;
}

describe('a secret from standard input', () => {
  test.each([
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['hunter2', 'hunter2'],
    [' two\nlines \n\n', ' two\nlines \n'],
  ])('%j is %j', async (text, value) => {
    const output = new PassThrough();
    expect((await askSecret('password', input(text), output)).reveal()).toBe(value);
    expect(output.read()).toBeNull();
  });

  test.each(['', '\n'])('%j is none', async (text) => {
    await expect(askSecret('password', input(text), new PassThrough())).rejects.toMatchObject({
      code: 'E_USAGE',
    });
  });
});
