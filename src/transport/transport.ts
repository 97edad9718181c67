import type { Secret } from '../secrets/secret.ts';
import type { Script } from './shell.ts';
import type { Stream } from './stream.ts';

/** The holder of a host's lock, for the error of other runs. */
export interface LockHolder {
  readonly user: string;
  /** The name of the machine that Hostwright runs on. */
  readonly controller: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
}

/** The lock of a host: exclusive to change it, shared to read it. */
export interface Lock {
  readonly mode: 'exclusive' | 'shared';
  readonly holder: LockHolder;
  /** Seconds to wait for another run to end; default 0. */
  readonly waitSeconds?: number;
}

/** Milliseconds that a request takes at most, unless it says otherwise. */
export const defaultTimeout = 5 * 60_000;

/** One framed request to the remote shell of a host. */
export interface Request {
  /** POSIX shell, run as root in a process of its own, with `umask 022`, in `/`, without `set -eu`. */
  readonly script: Script;
  /** Bytes that the script finds on its standard input; secrets travel here, never in the script. */
  readonly stdin?: Uint8Array;
  /** Milliseconds without an end of the request before it fails with E_TIMEOUT; default 5 minutes. */
  readonly timeout?: number | undefined;
  /**
   * Taken before the script runs and kept until the transport is closed; E_LOCKED, and no script run, when
   * another run holds it. A second lock of another mode replaces the first, and loses it when it fails.
   */
  readonly lock?: Lock;
  /** The action, for errors: `install nginx-light`. */
  readonly title?: string;
  /** No other will follow: the host ends the connection behind the answer, so that `close` takes no further round trip. */
  readonly isLast?: true;
  /** It supports `stop`: the file `$HW_STOP` is not empty once the script should stop. */
  readonly heedsStop?: true;
}

export interface Answer {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** The one connection of a host with its one long-lived remote shell, which runs as root. */
export interface Transport {
  readonly host: string;
  /** Requests sent so far: one is one round trip. */
  readonly roundTrips: number;
  /**
   * Sends one request and waits for its answer. Requests of one transport run one after the other. An exit
   * code other than 0 is an answer; errors are E_CONNECT (connection lost), E_TIMEOUT, E_LOCKED and
   * E_REMOTE (an answer that is too large or no answer at all). After any of them but E_LOCKED, and an
   * answer that is too large, the transport is closed.
   */
  request(request: Request): Promise<Answer>;
  /** Starts a script that writes for as long as it likes, beside the requests and without a lock; E_SUDO, E_REMOTE, E_CONNECT. */
  stream(script: Script): Promise<Stream>;
  /** Asks the current request to end early, if it supports that. */
  stop(): void;
  close(): Promise<void>;
}

/** How to reach a host, from its inventory variables (`ansible_host` and its kin). */
export interface Target {
  /** The name in the inventory. */
  readonly host: string;
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly privateKeyFile?: string;
  readonly password?: Secret;
  readonly become: boolean;
  readonly becomeUser?: string;
  readonly becomePassword?: Secret;
  /** `ansible_ssh_common_args`, for `-o` options and ProxyJump. */
  readonly sshArgs?: string;
}

/** Opens a transport; errors are E_CONNECT, E_AUTH, E_HOST_KEY, E_SUDO, E_REMOTE, and E_INVENTORY for malformed `sshArgs`. */
export type Connect = (target: Target) => Promise<Transport>;
