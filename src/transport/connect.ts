import { availableParallelism } from 'node:os';
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import { HostwrightError } from '../errors.ts';
import { unreachableFrom } from './connect-error.ts';
import { openConnection, type Connection, type UserKeys } from './connection.ts';
import { createKeyFiles } from './key-files.ts';
import { createLoginKeys } from './login-keys.ts';
import { openShell, type ShellChannel } from './remote-shell.ts';
import { openStream } from './stream.ts';
import { createSharedResolver } from './shared-config.ts';
import { resolveConfig, type ConfigRequest, type SshConfig } from './ssh-config.ts';
import type { Connect, Target, Transport } from './transport.ts';
import { splitWords } from './words.ts';

/** Milliseconds until a connection is open; ssh's ConnectTimeout or the caller may change it. */
export const defaultConnectTimeout = 20_000;
const defaultAnswerLimit = 64 * 1024 * 1024;
/** ssh_config that sends a jump host through itself would go round for ever. */
const longestWay = 8;

export interface ConnectOptions {
  /** Milliseconds until each connection stands, jump hosts included; ssh's ConnectTimeout wins. */
  readonly connectTimeout?: number;
  /** Bytes of standard output and error together that one answer may have; default 64 MiB. */
  readonly answerLimit?: number;
  /** Its ssh configuration is read at once, while the caller is busy with other things. */
  readonly ahead?: Target | undefined;
}

/** Makes the function that opens the one connection of a host: over ssh2, through jump hosts, with a remote shell. */
export function createConnect(options: ConnectOptions = {}): Connect {
  const shared = createShared();
  // The error shows again when the host is connected.
  if (options.ahead !== undefined) shared.resolver.target(options.ahead).catch(() => undefined);
  return async (target) => openTransport(target, options, shared);
}

/** A connection of a host without a shell, for streams to what listens there. */
export interface Tunnel {
  /** A stream to a port of 127.0.0.1 on the host; rejects with what sshd says of it. */
  forward(port: number): Promise<Duplex>;
  /** Why it ended, once it has. */
  readonly ended: Promise<string>;
  close(): void;
}

/** Opens a tunnel by the same way as a transport: E_CONNECT, E_AUTH, E_HOST_KEY. It needs no root on the host. */
export async function openTunnel(target: Target, options: ConnectOptions = {}): Promise<Tunnel> {
  const { way, connection } = await journeyTo(target, options, createShared());
  const close = leaving(way);
  void connection.ended.then(close);
  return { forward: (port) => connection.forward('127.0.0.1', port), ended: connection.ended, close };
}

/** Asks ssh for the configuration of hosts and of jump hosts. */
export interface Resolver {
  target(request: ConfigRequest): Promise<SshConfig>;
  jump(request: ConfigRequest): Promise<SshConfig>;
}

/** A resolution is a process of ssh: hosts share it where they can, and so do those behind one jump host. */
export function createResolver(): Resolver {
  const limit = pLimit(availableParallelism() * 2);
  const known = new Map<string, Promise<SshConfig>>();
  const once = (key: string, request: ConfigRequest): Promise<SshConfig> => {
    const config = known.get(key) ?? limit(resolveConfig, request);
    known.set(key, config);
    return config;
  };
  return {
    target: createSharedResolver((request) => once(JSON.stringify(request), request)),
    jump: (request) => once(JSON.stringify({ ...request, host: '' }), request),
  };
}

/** What the connections of one run share. */
interface Shared {
  readonly resolver: Resolver;
  readonly keys: UserKeys;
}

function createShared(): Shared {
  return { resolver: createResolver(), keys: { known: createKeyFiles(), login: createLoginKeys() } };
}

/** Ends the connections of a way, the host first. */
function leaving(way: readonly Connection[]): () => void {
  return () => {
    for (const connection of way.toReversed()) connection.end();
  };
}

/** The connection of a target, and those on the way to it; none stays open when it fails. */
async function journeyTo(
  target: Target,
  options: ConnectOptions,
  shared: Shared,
): Promise<{
  readonly way: readonly Connection[];
  readonly connection: Connection;
  readonly config: SshConfig;
}> {
  const config = await shared.resolver.target(target);
  const way: Connection[] = [];
  try {
    return { way, config, connection: await travel(way, { target, config, options, ...shared }) };
  } catch (error) {
    leaving(way)();
    throw error;
  }
}

async function openTransport(target: Target, options: ConnectOptions, shared: Shared): Promise<Transport> {
  if (target.becomeUser !== undefined && target.becomeUser !== 'root') {
    throw new HostwrightError('E_SUDO', `ansible_become_user ${target.becomeUser} is not supported`, {
      place: { host: target.host },
      expected: 'root',
      hint: 'remove ansible_become_user: everything runs as root',
    });
  }
  const { way, connection, config } = await journeyTo(target, options, shared);
  const leave = leaving(way);
  try {
    const execute = async (command: string): Promise<ShellChannel> => connection.execute(command);
    const start = {
      host: target.host,
      user: config.user,
      become: target.become,
      password: target.becomePassword,
      startTimeout: options.connectTimeout ?? defaultConnectTimeout,
    };
    const shell = await openShell(execute, {
      ...start,
      answerLimit: options.answerLimit ?? defaultAnswerLimit,
      directory: '/run/hostwright',
    });
    // The host first: a jump host that lasts keeps its connection open otherwise.
    void connection.ended.then(leave);
    return {
      host: target.host,
      get roundTrips() {
        return shell.roundTrips;
      },
      request: async (request) => shell.request(request),
      stream: async (script) => openStream(execute, script, start),
      stop: () => shell.stop(),
      async close() {
        await shell.close();
        leave();
        await connection.ended;
      },
    };
  } catch (error) {
    leave();
    throw error;
  }
}

interface Journey extends Shared {
  readonly target: Target;
  readonly config: SshConfig;
  readonly options: ConnectOptions;
}

/** Connects to the target, hop by hop; every connection made is pushed to `way`. */
async function travel(way: Connection[], journey: Journey): Promise<Connection> {
  const { target, config, options, keys } = journey;
  const timeout = options.connectTimeout ?? defaultConnectTimeout;
  const hops = await resolveHops(journey);
  for (const [index, hop] of [...hops, config].entries()) {
    const last = index === hops.length;
    const name = last ? target.host : `${target.host} (jump host ${hop.hostName})`;
    const before = way.at(-1);
    const jump = hops[index - 1];
    const via =
      before &&
      jump &&
      (() =>
        before.forward(hop.hostName, hop.port).catch((cause: unknown) => {
          throw unreachableFrom(name, jump, `${hop.hostName} port ${hop.port}`, cause);
        }));
    const login = last ? { privateKeyFile: target.privateKeyFile, password: target.password } : {};
    way.push(await openConnection({ host: name, config: hop, timeout, via, keys, ...login }));
  }
  const connection = way.at(-1);
  if (connection === undefined) throw new TypeError('a way without an end');
  return connection;
}

/**
 * The jump hosts of a target, the nearest first. As with ssh, options of the command line are not for them
 * (but -F is), and the first of them may have jump hosts of its own.
 */
export async function resolveHops(
  { target, config, resolver }: Omit<Journey, 'options' | 'keys'>,
  depth = 0,
): Promise<readonly SshConfig[]> {
  if (depth > longestWay) {
    throw new HostwrightError('E_CONNECT', 'ProxyJump of the ssh configuration is a cycle', {
      place: { host: target.host },
      found: config.proxyJump.join(','),
      hint: `check the ssh configuration: ssh -G ${config.hostName}`,
    });
  }
  const words = splitWords(target.sshArgs ?? '');
  const file = words.findIndex((word) => word === '-F');
  const sshArgs = file === -1 ? undefined : `-F '${words[file + 1] ?? ''}'`;
  const hops: SshConfig[] = [];
  for (const [index, jump] of config.proxyJump.entries()) {
    const hop = await resolver.jump({ host: target.host, sshArgs, ...parseJump(target.host, jump) });
    if (index === 0) hops.push(...(await resolveHops({ target, config: hop, resolver }, depth + 1)));
    hops.push(hop);
  }
  return hops;
}

/** `[user@]host[:port]`, `[user@][2001:db8::1]:22`, `ssh://…`. */
function parseJump(host: string, jump: string): { address: string; user?: string; port?: number } {
  const match = /^(?:ssh:\/\/)?(?:(.+)@)?(?:\[([^\]]+)\]|([^:@]+|[0-9a-fA-F:]+))(?::(\d+))?$/.exec(jump);
  const address = match?.[2] ?? match?.[3];
  if (match === null || address === undefined) {
    throw new HostwrightError('E_CONNECT', 'invalid ProxyJump in the ssh configuration', {
      place: { host },
      found: jump,
      expected: '[user@]host[:port]',
    });
  }
  return {
    address,
    ...(match[1] !== undefined && { user: match[1] }),
    ...(match[4] !== undefined && { port: Number(match[4]) }),
  };
}
