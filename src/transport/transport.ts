import type { Secret } from '../secrets/secret.ts';
import type { Script } from './shell.ts';

/** One framed request to the remote shell of a host. */
export interface Request {
  /** POSIX shell, run as root in a process of its own. */
  readonly script: Script;
  /** Bytes that the script finds on its standard input; secrets travel here, never in the script. */
  readonly stdin?: Uint8Array;
  /** Milliseconds without an end of the request before it fails with E_TIMEOUT. */
  readonly timeout?: number;
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
  /** Sends one request and waits for its answer. Requests of one transport run one after the other. */
  request(request: Request): Promise<Answer>;
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

/** Opens a transport; errors are E_CONNECT, E_AUTH, E_HOST_KEY, E_SUDO and E_TIMEOUT. */
export type Connect = (target: Target) => Promise<Transport>;
