import { HostwrightError } from '../errors.ts';

/** What was seen until the remote shell failed to start. */
export interface FailedStart {
  readonly host: string;
  readonly user: string;
  /** Standard error so far, the end of it. */
  readonly stderr: string;
  /** Standard output so far, the end of it. */
  readonly stdout: string;
  readonly become: boolean;
  /** How often sudo asked for the password. */
  readonly asked: number;
  readonly passwordKnown: boolean;
  /** Why the channel ended, where the connection knows; undefined while it is still open. */
  readonly ended: string | undefined;
}

const reasons: readonly (readonly [RegExp, string, string])[] = [
  [
    /must have a tty|tty to run sudo|no tty present/,
    'sudo requires a terminal',
    'turn requiretty off in the sudoers of the host: Defaults:USER !requiretty',
  ],
  [
    /not in the sudoers|may not run sudo|is not allowed to (execute|run)|not allowed to run sudo/i,
    'the user may not become root with sudo',
    'allow the user to run all commands as root in /etc/sudoers.d, or connect as another user',
  ],
  [
    /sudo: (not found|command not found|No such file)|sudo: inaccessible/,
    'sudo is not installed on the host',
    'install sudo on the host, or connect as root',
  ],
  [
    /incorrect password|Sorry, try again|Authentication failure/i,
    'sudo does not accept the password',
    'correct ansible_become_password, or use --ask-become-pass',
  ],
];

/** sudo passes over rules that others could have written, and then knows no rule, or asks for a password. */
const distrust = /^sudo: .* is (owned by|group writable|world writable).*$/m;

/** Why no root shell started: E_SUDO, or E_REMOTE when sudo is not the cause. */
export function startError(failed: FailedStart): HostwrightError {
  const place = { host: failed.host };
  const words = lastWords(failed.stderr) || lastWords(failed.stdout);
  const found = words || failed.ended || 'no answer';
  const distrusted = failed.become ? distrust.exec(failed.stderr)?.[0] : undefined;
  if (distrusted !== undefined) {
    return new HostwrightError('E_SUDO', 'sudo does not accept the owner or the mode of its own files', {
      place,
      found: lastWords(distrusted),
      expected: 'files and folders of sudo that belong to root, and that nobody else can write to',
      hint: 'run as root on the host: chown root:root /etc/sudoers /etc/sudoers.d; chmod 0440 /etc/sudoers; chmod 0755 /etc/sudoers.d',
    });
  }
  if (failed.asked > 0 && !failed.passwordKnown) {
    return new HostwrightError('E_SUDO', `sudo asks for the password of ${failed.user}`, {
      place,
      hint: 'set ansible_become_password (encrypted), use --ask-become-pass, or allow NOPASSWD in sudoers',
    });
  }
  if (failed.asked > 1) {
    return new HostwrightError('E_SUDO', `sudo does not accept the password of ${failed.user}`, {
      place,
      hint: 'correct ansible_become_password, or use --ask-become-pass',
    });
  }
  const known = failed.become ? reasons.find(([pattern]) => pattern.test(failed.stderr)) : undefined;
  if (known !== undefined) {
    return new HostwrightError('E_SUDO', known[1], { place, found, hint: known[2] });
  }
  const code = failed.become ? 'E_SUDO' : 'E_REMOTE';
  const message =
    failed.ended === undefined ? 'the shell did not start in time' : 'the shell ended before it was ready';
  return new HostwrightError(code, message, {
    place,
    found,
    hint: `try it by hand: ssh ${failed.user}@… ${failed.become ? 'sudo sh -c id' : 'sh -c id'}`,
  });
}

/** The last line with something in it, without control characters: it comes from the host. */
export function lastWords(text: string): string {
  const last = text
    .split('\n')
    .map((line) => line.replaceAll(/\p{Cc}+/gu, ' ').trim())
    .findLast((line) => line !== '');
  return last === undefined ? '' : last.slice(-300);
}
