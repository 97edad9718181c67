import { HostwrightError, withPlace } from '../errors.ts';
import type { ShellOptions } from './remote-shell.ts';
import { lastWords } from './start-error.ts';
import type { Request } from './transport.ts';

function doing(request: Request): string {
  return request.title ?? 'a script was running';
}

/** A shell as it was when its channel ended. */
interface LostShell {
  /** The request in hand. */
  readonly request: Request | undefined;
  readonly isReady: boolean;
  readonly reason: string;
  /** What the host said beside its answers. */
  readonly words: string;
}

export function lost(host: string, { request, isReady, reason, words }: LostShell): HostwrightError {
  const otherwise = isReady ? 'idle' : 'starting the remote shell';
  const what = request === undefined ? otherwise : doing(request);
  return new HostwrightError('E_CONNECT', `connection lost while ${what}`, {
    place: { host },
    found: [reason, lastWords(words)].filter((said) => said !== '').join('; '),
    hint: 'run the same command again: it finds what is done, and does the rest',
  });
}

export function timedOut(host: string, request: Request, timeout: number): HostwrightError {
  const seconds = Math.round(timeout / 100) / 10;
  return new HostwrightError('E_TIMEOUT', `no answer within ${seconds} s while ${doing(request)}`, {
    place: { host },
    hint: 'find out what keeps the host busy; the host ends the script shortly after',
  });
}

export function tooLarge(host: string, limit: number): HostwrightError {
  return new HostwrightError('E_REMOTE', 'the output of a script is too large', {
    place: { host },
    expected: `at most ${limit} bytes`,
  });
}

export function loopFailed(
  message: string,
  { host, user, become }: Pick<ShellOptions, 'host' | 'user' | 'become'>,
): HostwrightError {
  if (message.startsWith('not root')) {
    return new HostwrightError('E_SUDO', `${user} is not root`, {
      place: { host },
      hint: become ? 'sudo changed to another user' : 'set ansible_become: true, or connect as root',
    });
  }
  return new HostwrightError('E_REMOTE', lastWords(message), { place: { host } });
}

/** An error of what a host sent, with the host; anything else is a defect, and thrown. */
export function withHost(error: unknown, host: string): HostwrightError {
  if (!(error instanceof HostwrightError)) throw error;
  return withPlace(error, { host });
}
