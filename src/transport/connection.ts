import { connect as connectSocket, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type ClientChannel } from 'ssh2';
import type { HostwrightError } from '../errors.ts';
import { offeredAlgorithms } from './algorithms.ts';
import {
  authenticationError,
  methodOf,
  prepareAuthentication,
  type Attempt,
  type Login,
} from './authentication.ts';
import { connectError, connectTimeout, inWords } from './connect-error.ts';
import { checkHostKey, type HostKeyCheck } from './host-key.ts';
import type { KeyFiles } from './key-files.ts';
import { whenListenedFor } from './listening.ts';
import { localEnd } from './local-end.ts';
import { watchLiveness } from './liveness.ts';
import type { LoginKeys } from './login-keys.ts';
import type { ShellChannel } from './remote-shell.ts';
import type { SshConfig } from './ssh-config.ts';

/** Milliseconds that a host gets to answer a goodbye. */
const goodbye = 2000;

/** One SSH connection, to a host or to a jump host on the way. */
export interface Connection {
  /** Runs a command without a terminal. */
  execute(command: string): Promise<ShellChannel>;
  /** A stream to a port that this host can reach; rejects with what sshd says of it. */
  forward(address: string, port: number): Promise<Duplex>;
  /** Why it ended, once it has. */
  readonly ended: Promise<string>;
  /** Closes the connection politely, and does not wait long for an answer. */
  end(): void;
  /** Ends it now. */
  destroy(): void;
}

/** What connections of one run share: the files are read once, and again when they have changed. */
export interface UserKeys {
  readonly known: KeyFiles;
  readonly login: LoginKeys;
}

export interface ConnectionOptions extends Login {
  /** The name in errors. */
  readonly host: string;
  /** Milliseconds until it stands. */
  readonly timeout: number;
  /** The way through a jump host, in the place of TCP. */
  readonly via?: (() => Promise<Duplex>) | undefined;
  readonly keys: UserKeys;
}

/** Opens a connection: E_CONNECT, E_HOST_KEY, E_AUTH. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const check = checkHostKey(options.keys.known, options.host, options.config);
  try {
    return await tryConnection(options, check);
  } catch (error) {
    if (!check.askAgain()) throw error;
    return await tryConnection(options, check);
  }
}

async function tryConnection(options: ConnectionOptions, check: HostKeyCheck): Promise<Connection> {
  const { host, config } = options;
  const algorithms = offeredAlgorithms(host, config, check.types);
  const authentication = prepareAuthentication(options.keys.login, options);
  const timeout = config.connectTimeout === undefined ? options.timeout : config.connectTimeout * 1000;
  const client = new ssh2.Client();
  const socket = (await options.via?.()) ?? openSocket(host, config);
  const tried: string[] = [];
  const waiting = [...authentication.attempts];
  let refused: HostwrightError | undefined;
  let reason = '';

  const given = new AbortController();
  const ended = new Promise<string>((resolve) => {
    client.once('close', () => resolve(reason || 'the host closed the connection'));
    given.signal.addEventListener('abort', () => resolve(reason || 'given up'), { once: true });
  });
  /** A link that is half open never closes by itself. */
  const destroy = (): void => {
    socket.destroy();
    given.abort();
  };

  await new Promise<void>((resolve, reject) => {
    const give = (error: HostwrightError): void => {
      wait.cancel();
      reject(error);
      destroy();
    };
    const wait = whenListenedFor(timeout, () => give(connectTimeout(host, config, timeout)));
    client.once('ready', () => {
      wait.cancel();
      resolve();
    });
    // One listener for the whole life of the connection: an error without one would end the process.
    client.on('error', (error: Error & { level?: string }) => {
      if (error.level === 'agent') {
        authentication.notes.push(`agent: ${error.message}`);
        return;
      }
      reason ||= inWords(error);
      if (error.level !== 'client-authentication') give(refused ?? connectError(host, config, error));
    });
    client.once('close', () => {
      give(refused ?? connectError(host, config, new Error(reason || 'closed before it was open')));
    });
    client.connect({
      sock: socket,
      username: config.user,
      algorithms,
      readyTimeout: 0,
      // This only sends something regularly; watchLiveness decides whether the host still answers.
      keepaliveInterval: interval(config),
      keepaliveCountMax: Number.MAX_SAFE_INTEGER,
      hostVerifier: (key: Buffer) => {
        refused = check.refuse(key, socket instanceof Socket ? socket.remoteAddress : undefined);
        if (refused !== undefined) reason ||= refused.message;
        return refused === undefined;
      },
      authHandler: (methods, _partial, next) => {
        const allowed = methods as readonly string[] | null;
        const fits = (attempt: Attempt): boolean => allowed === null || allowed.includes(methodOf(attempt));
        const at = waiting.findIndex(fits);
        const [attempt] = at === -1 ? [] : waiting.splice(at, 1);
        if (attempt === undefined) {
          give(authenticationError(host, config, authentication, tried));
          return;
        }
        tried.push(attempt.name);
        next(attempt.method);
      },
    });
  });

  watchLiveness(socket, interval(config) * Math.max(1, config.serverAliveCountMax), (silence) => {
    reason ||= `no data from the host for ${silence / 1000} s`;
    destroy();
  });
  const failed = (error: unknown): never => {
    throw connectError(host, config, error instanceof Error ? error : new Error(String(error)));
  };
  return {
    ended,
    destroy,
    async execute(command) {
      const channel = await execute(client, command).catch(failed);
      const closed = new Promise<string>((resolve) => {
        channel.once('close', (code: unknown) => resolve(typeof code === 'number' ? `exit ${code}` : ''));
      });
      return {
        input: channel,
        output: channel,
        errors: channel.stderr,
        ended: Promise.race([ended, closed.then((words) => reason || words)]),
        destroy,
      };
    },
    forward: (address, port) => forward(client, address, port),
    end() {
      client.end();
      setTimeout(destroy, goodbye).unref();
    },
  };
}

async function execute(client: ssh2.Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

async function forward(client: ssh2.Client, address: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, address, port, (error, stream) => {
      if (error === undefined) resolve(stream);
      else reject(error);
    });
  });
}

/** Milliseconds between signs of life that are asked for. */
function interval(config: SshConfig): number {
  return (config.serverAliveInterval || 15) * 1000;
}

/** TCP to a host, from the address and by the family that its configuration asks for. */
export function openSocket(host: string, config: SshConfig): Socket {
  return connectSocket({
    host: config.hostName,
    port: config.port,
    noDelay: true,
    ...localEnd(host, config),
  });
}
