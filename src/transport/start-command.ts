import { randomBytes } from 'node:crypto';
import { quote, sh } from './shell.ts';

/** How a remote shell is started, and what shows how far it has come. */
export interface Start {
  /** For the login shell of the user, whichever that is. */
  readonly command: string;
  /** Written to standard output once the shell runs as root and waits for the loop. */
  readonly marker: string;
  /** Written to standard error when sudo wants the password. */
  readonly prompt: string;
}

/**
 * One line that sh, csh and fish read alike: words in single quotes without `!`, backslash or quote in
 * them. The text of the loop comes on standard input, `loopLength` bytes, after the marker.
 *
 * Marker and prompt stand in two halves in the command, so that a login shell that echoes what it runs
 * (`set -x`) cannot pass for either; above all, the password must never be sent when sudo does not ask.
 */
export function startCommand(loopLength: number, become: boolean): Start {
  const marker = halves();
  const prompt = halves();
  const loop = sh`echo ${marker[0]}""${marker[1]}; eval "$(head -c ${loopLength})"`;
  const start = become ? becomeRoot : stayAsIs;
  return {
    command: `exec sh -c ${[start.text, loop.text, ...prompt, ...environment].map(quote).join(' ')}`,
    marker: marker.join(''),
    prompt: prompt.join(''),
  };
}

/** What scripts find, and nothing that a login brings along but the way out through a proxy and who came in. */
const environment = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'USER=root',
  'LOGNAME=root',
  'SHELL=/bin/sh',
  'TERM=dumb',
  'LC_ALL=C.UTF-8',
  'DEBIAN_FRONTEND=noninteractive',
];

const kept = ['http_proxy', 'https_proxy', 'no_proxy', 'SSH_CONNECTION'].map(
  (name) => sh`test -z "$${name}" || set -- "$@" "${name}=$${name}";`,
);

/** Who logged in is not known any more after sudo. */
const login = sh`set -- "$@" "HW_LOGIN=$(id -un)";`;

const arrange = sh`p="$1$2"; shift 2; ${kept} ${login} cd /`;

const stayAsIs = sh`${arrange}; exec env -i "$@" sh -c "$0"`;

/** A user with the id 0 needs no sudo, which a minimal host may lack. */
const becomeRoot = sh`${arrange}; test "$(id -u)" -eq 0 && exec env -i "$@" sh -c "$0"; LC_ALL=C; export LC_ALL; exec sudo -S -H -p "$p" -u root -- env -i "$@" sh -c "$0"`;

function halves(): readonly [string, string] {
  return [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
}
