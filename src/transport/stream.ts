import type { Readable } from 'node:stream';
import type { ShellChannel, ShellOptions } from './remote-shell.ts';
import type { Script } from './shell.ts';
import { whenStarted } from './shell-start.ts';
import { collectWords } from './shell-words.ts';
import { startCommand } from './start-command.ts';

/** What a script writes while it runs, beside the requests of its transport, whose end is its own. */
export interface Stream {
  /** Nothing is read before its reader wants it: a script that writes faster waits. Ends, or closes when it is cut off. */
  readonly output: Readable;
  /** The end of what it has said on standard error. */
  words(): string;
}

/**
 * Starts a script as root that writes for as long as it likes. It has no lock, no time limit, and no bound for what
 * it writes. Errors are E_SUDO, E_REMOTE and E_CONNECT.
 */
export async function openStream(
  execute: (command: string) => Promise<ShellChannel>,
  script: Script,
  options: Omit<ShellOptions, 'answerLimit' | 'directory'>,
): Promise<Stream> {
  const text = Buffer.from(script.text);
  const start = startCommand(text.length, options.become);
  const channel = await execute(start.command);
  for (const stream of [channel.input, channel.output, channel.errors]) stream.on('error', () => undefined);
  const words = collectWords(channel.errors);
  words.onTooMany(() => channel.destroy());
  await whenStarted({ channel, words, start, options });
  channel.input.write(text);
  // The streams of a connection that died without a word do not end by themselves.
  void channel.ended.then(() => channel.output.destroy());
  return { output: channel.output, words: () => words.text };
}
