import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { HostwrightError } from '../errors.ts';
import type { Secret } from '../secrets/secret.ts';
import { createFrameReader, encodeRequest, stopSign, type Frame } from './frame.ts';
import { whenListenedFor } from './listening.ts';
import { lockedError } from './locked.ts';
import { remoteLoop } from './remote-loop.ts';
import { startCommand } from './start-command.ts';
import { lastWords, startError } from './start-error.ts';
import type { Answer, Request } from './transport.ts';

/** The three streams of a command that runs on the host. */
export interface ShellChannel {
  readonly input: Writable;
  readonly output: Readable;
  readonly errors: Readable;
  /** Why it ended, in a few words, once it has or was destroyed. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it now, without waiting for the host. */
  destroy(): void;
}

export interface ShellOptions {
  readonly host: string;
  /** For errors. */
  readonly user: string;
  readonly become: boolean;
  readonly password?: Secret | undefined;
  /** Milliseconds until the shell must have started, sudo included. */
  readonly startTimeout: number;
  readonly answerLimit: number;
  /** Where the loop keeps its files: `/run/hostwright`. */
  readonly directory: string;
}

export interface RemoteShell {
  readonly roundTrips: number;
  request(request: Request): Promise<Answer>;
  /** Asks the request in hand to end early, where it heeds that. */
  stop(): void;
  /** Ends the loop and waits until it has cleaned up, a few seconds at most. */
  close(): Promise<void>;
}

interface Pending {
  readonly sequence: number;
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: HostwrightError) => void;
}

const defaultTimeout = 300_000;
const closeTimeout = 5000;
/** Kept of what the host says outside of answers. */
const wordsLimit = 8192;
/** What scripts say comes in answers; a shell that says more than this beside them does not stop by itself. */
const errorsLimit = 16 * 1024 * 1024;

/** Starts the remote loop, as root where `become`; errors are E_SUDO, E_REMOTE and E_CONNECT. */
export async function openShell(
  execute: (command: string) => Promise<ShellChannel>,
  options: ShellOptions,
): Promise<RemoteShell> {
  const { host, answerLimit, directory } = options;
  const place = { host };
  const nonce = randomBytes(16).toString('hex');
  const session = randomBytes(8).toString('hex');
  const loop = Buffer.from(remoteLoop({ session, nonce, directory, answerLimit }).text);
  const start = startCommand(loop.length, options.become);
  const channel = await execute(start.command);
  const read = createFrameReader(nonce, answerLimit);

  let started = false;
  let isReady = false;
  let begun: (() => void) | undefined;
  let refuse: ((error: HostwrightError) => void) | undefined;
  let asked = 0;
  let stdout = '';
  let stderr = '';
  let errorBytes = 0;
  let pending: Pending | undefined;
  let broken: HostwrightError | undefined;
  let roundTrips = 0;
  /** The request that was asked to stop. */
  let stopped: number | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  function fail(error: HostwrightError): void {
    if (broken !== undefined) return;
    broken = error;
    refuse?.(error);
    pending?.reject(error);
    pending = undefined;
    channel.destroy();
  }

  const startFailed = (ended?: string): HostwrightError =>
    startError({
      host,
      user: options.user,
      become: options.become,
      stderr,
      stdout,
      asked,
      passwordKnown: options.password !== undefined,
      ended,
    });

  function takeFrame(frame: Frame): void {
    if (frame.kind === 'ready' && !isReady) {
      isReady = true;
    } else if (frame.kind === 'failed') {
      fail(loopFailed(frame.message, options));
    } else if (frame.kind === 'ready' || pending === undefined || frame.sequence !== pending.sequence) {
      fail(new HostwrightError('E_REMOTE', 'the remote shell sent an unexpected answer', { place }));
    } else {
      const { resolve, reject } = pending;
      pending = undefined;
      if (frame.outcome === 'locked') reject(lockedError(host, frame.stdout.toString()));
      else if (frame.outcome === 'large') reject(tooLarge(host, answerLimit));
      else resolve({ code: frame.code, stdout: frame.stdout, stderr: frame.stderr });
    }
  }

  function takeOutput(chunk: Buffer): void {
    if (broken !== undefined) return;
    try {
      if (started) {
        for (const frame of read(chunk)) takeFrame(frame);
        return;
      }
      stdout += chunk.toString('latin1');
      const at = stdout.indexOf(`${start.marker}\n`);
      if (at === -1) {
        stdout = stdout.slice(-wordsLimit);
        return;
      }
      started = true;
      channel.input.write(loop);
      begun?.();
      const rest = Buffer.from(stdout.slice(at + start.marker.length + 1), 'latin1');
      stdout = '';
      for (const frame of read(rest)) takeFrame(frame);
    } catch (error) {
      fail(withHost(error, host));
    }
  }

  function takeErrors(chunk: Buffer): void {
    errorBytes += chunk.length;
    if (errorBytes > errorsLimit) fail(tooLarge(host, errorsLimit));
    stderr = (stderr + chunk.toString()).slice(-wordsLimit);
    if (started || !stderr.includes(start.prompt)) return;
    stderr = stderr.replace(start.prompt, '');
    asked += 1;
    if (asked > 1 || options.password === undefined) fail(startFailed());
    else channel.input.write(`${options.password.reveal()}\n`);
  }

  channel.output.on('data', takeOutput);
  channel.errors.on('data', takeErrors);
  // Errors of the streams end the channel, which says why; unheard they would end the process.
  for (const stream of [channel.input, channel.output, channel.errors]) stream.on('error', () => undefined);
  const watchEnd = async (): Promise<void> => {
    const reason = await channel.ended;
    if (!started) fail(startFailed(reason));
    else if (pending !== undefined) fail(lost(doing(pending.request), reason));
    else fail(lost(isReady ? 'idle' : 'starting the remote shell', reason));
  };
  void watchEnd();

  const lost = (what: string, reason: string): HostwrightError =>
    new HostwrightError('E_CONNECT', `connection lost while ${what}`, {
      place,
      found: [reason, lastWords(stderr)].filter((words) => words !== '').join('; '),
      hint: 'run the same command again: it finds what is done, and does the rest',
    });

  async function send(request: Request): Promise<Answer> {
    if (broken !== undefined) throw broken;
    roundTrips += 1;
    const sequence = roundTrips;
    const timeout = request.timeout ?? defaultTimeout;
    const wait = (request.lock?.waitSeconds ?? 0) * 1000;
    const answer = new Promise<Answer>((resolve, reject) => {
      pending = { sequence, request, resolve, reject };
    });
    const waiting = whenListenedFor(timeout + wait, () => fail(timedOut(host, request, timeout)));
    // The host gives the script up a little later, so that its end is never taken for an answer.
    for (const part of encodeRequest(sequence, request, Math.ceil(timeout / 1000) + 5)) {
      channel.input.write(part);
    }
    try {
      return await answer;
    } finally {
      waiting.cancel();
    }
  }

  // Whether the loop gets ready shows with the first answer: what is asked can be on its way meanwhile.
  await new Promise<void>((resolve, reject) => {
    const waiting = whenListenedFor(options.startTimeout, () => fail(startFailed()));
    const settle = (): void => {
      waiting.cancel();
      begun = undefined;
      refuse = undefined;
    };
    begun = () => {
      settle();
      resolve();
    };
    refuse = (error) => {
      settle();
      reject(error);
    };
    if (broken !== undefined) refuse(broken);
    else if (started) begun();
  });

  return {
    get roundTrips() {
      return roundTrips;
    },
    async request(request) {
      const turn = queue.then(() => send(request));
      queue = turn.catch(() => undefined);
      return turn;
    },
    stop() {
      if (pending?.request.heedsStop !== true || stopped === pending.sequence) return;
      stopped = pending.sequence;
      channel.input.write(stopSign);
    },
    async close() {
      if (broken !== undefined) return;
      channel.input.end();
      const timer = setTimeout(() => channel.destroy(), closeTimeout);
      await channel.ended;
      clearTimeout(timer);
    },
  };
}

function doing(request: Request): string {
  return request.title ?? 'a script was running';
}

function timedOut(host: string, request: Request, timeout: number): HostwrightError {
  const seconds = Math.round(timeout / 100) / 10;
  return new HostwrightError('E_TIMEOUT', `no answer within ${seconds} s while ${doing(request)}`, {
    place: { host },
    hint: 'find out what keeps the host busy; the host ends the script shortly after',
  });
}

function tooLarge(host: string, limit: number): HostwrightError {
  return new HostwrightError('E_REMOTE', 'the output of a script is too large', {
    place: { host },
    expected: `at most ${limit} bytes`,
  });
}

function loopFailed(message: string, { host, user, become }: ShellOptions): HostwrightError {
  if (message.startsWith('not root')) {
    return new HostwrightError('E_SUDO', `${user} is not root`, {
      place: { host },
      hint: become ? 'sudo changed to another user' : 'set ansible_become: true, or connect as root',
    });
  }
  return new HostwrightError('E_REMOTE', lastWords(message), { place: { host } });
}

function withHost(error: unknown, host: string): HostwrightError {
  if (!(error instanceof HostwrightError)) throw error;
  const { code, message, found, expected, hint } = error;
  return new HostwrightError(code, message, {
    place: { host },
    ...(found !== undefined && { found }),
    ...(expected !== undefined && { expected }),
    ...(hint !== undefined && { hint }),
  });
}
