import { whenListenedFor } from './listening.ts';
import type { ShellChannel, ShellOptions } from './remote-shell.ts';
import { tooLarge } from './shell-error.ts';
import { wordsLimit, type Words } from './shell-words.ts';
import type { Start } from './start-command.ts';
import { startError } from './start-error.ts';

export interface StartingShell {
  readonly channel: ShellChannel;
  readonly words: Words;
  readonly start: Start;
  readonly options: Omit<ShellOptions, 'answerLimit' | 'directory'>;
}

/**
 * Waits until the shell runs as root, and gives sudo the password when it asks. E_SUDO, E_REMOTE. The output is
 * paused then, and begins with what came after the marker.
 */
export async function whenStarted({ channel, words, start, options }: StartingShell): Promise<void> {
  const { host, user, become, password } = options;
  let stdout = '';
  let asked = 0;
  const failed = (ended?: string): Error => {
    const passwordKnown = password !== undefined;
    return startError({ host, user, become, stderr: words.text, stdout, asked, passwordKnown, ended });
  };

  let isOver = false;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error): void => {
      if (isOver) return;
      isOver = true;
      waiting.cancel();
      stopListening();
      channel.output.off('data', takeOutput).pause();
      if (error === undefined) resolve();
      else reject(error);
    };
    const takeOutput = (chunk: Buffer): void => {
      stdout += chunk.toString('latin1');
      const at = stdout.indexOf(`${start.marker}\n`);
      if (at === -1) {
        stdout = stdout.slice(-wordsLimit);
        return;
      }
      settle();
      const rest = stdout.slice(at + start.marker.length + 1);
      if (rest !== '') channel.output.unshift(Buffer.from(rest, 'latin1'));
    };
    const answerPrompt = (): void => {
      if (!words.take(start.prompt)) return;
      asked += 1;
      if (asked > 1 || password === undefined) settle(failed());
      else channel.input.write(`${password.reveal()}\n`);
    };
    const waiting = whenListenedFor(options.startTimeout, () => settle(failed()));
    const stopListening = words.onMore(answerPrompt);
    words.onTooMany((limit) => settle(tooLarge(host, limit)));
    channel.output.on('data', takeOutput);
    void channel.ended.then((reason) => settle(failed(reason)));
  });
}
