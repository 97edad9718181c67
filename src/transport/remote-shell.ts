import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { HostwrightError } from '../errors.ts';
import type { Secret } from '../secrets/secret.ts';
import { createFrameReader, encodeRequest, stopSign, type Frame } from './frame.ts';
import { whenListenedFor } from './listening.ts';
import { lockedError } from './locked.ts';
import { remoteLoop } from './remote-loop.ts';
import { loopFailed, lost, timedOut, tooLarge, withHost } from './shell-error.ts';
import { whenStarted } from './shell-start.ts';
import { collectWords, type Words } from './shell-words.ts';
import { startCommand } from './start-command.ts';
import { defaultTimeout, type Answer, type Request } from './transport.ts';

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

const closeTimeout = 5000;

/** Starts the remote loop, as root where `become`; errors are E_SUDO, E_REMOTE and E_CONNECT. */
export async function openShell(
  execute: (command: string) => Promise<ShellChannel>,
  options: ShellOptions,
): Promise<RemoteShell> {
  const { directory, answerLimit } = options;
  const nonce = randomBytes(16).toString('hex');
  const session = randomBytes(8).toString('hex');
  const loop = Buffer.from(remoteLoop({ session, nonce, directory, answerLimit }).text);
  const start = startCommand(loop.length, options.become);
  const channel = await execute(start.command);
  // Errors of the streams end the channel, which says why; unheard they would end the process.
  for (const stream of [channel.input, channel.output, channel.errors]) stream.on('error', () => undefined);
  const words = collectWords(channel.errors);
  try {
    await whenStarted({ channel, words, start, options });
  } catch (error) {
    channel.destroy();
    throw error;
  }
  channel.input.write(loop);
  // Whether the loop gets ready shows with the first answer: what is asked can be on its way meanwhile.
  return converse({ channel, words, nonce, options });
}

interface Pending {
  readonly sequence: number;
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: HostwrightError) => void;
  isStopped: boolean;
}

interface Conversation {
  readonly channel: ShellChannel;
  readonly words: Words;
  readonly nonce: string;
  readonly options: ShellOptions;
}

/** Requests and answers, one after the other, until the channel ends or an answer makes no sense. */
function converse({ channel, words, nonce, options }: Conversation): RemoteShell {
  const { host } = options;
  const read = createFrameReader(nonce, options.answerLimit);
  let isReady = false;
  let roundTrips = 0;
  let pending: Pending | undefined;
  let broken: HostwrightError | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const fail = (error: HostwrightError): void => {
    if (broken !== undefined) return;
    broken = error;
    pending?.reject(error);
    pending = undefined;
    channel.destroy();
  };
  const takeFrame = (frame: Frame): void => {
    if (frame.kind === 'ready' && !isReady) {
      isReady = true;
    } else if (frame.kind === 'failed') {
      fail(loopFailed(frame.message, options));
    } else if (frame.kind === 'ready' || pending === undefined || frame.sequence !== pending.sequence) {
      const place = { host };
      fail(new HostwrightError('E_REMOTE', 'the remote shell sent an unexpected answer', { place }));
    } else {
      const asked = pending;
      pending = undefined;
      settle(asked, frame, options);
    }
  };
  const takeOutput = (chunk: Buffer): void => {
    if (broken !== undefined) return;
    try {
      for (const frame of read(chunk)) takeFrame(frame);
    } catch (error) {
      fail(withHost(error, host));
    }
  };
  const watchEnd = async (): Promise<void> => {
    const reason = await channel.ended;
    fail(lost(host, { request: pending?.request, isReady, reason, words: words.text }));
  };
  const send = async (request: Request): Promise<Answer> => {
    if (broken !== undefined) throw broken;
    roundTrips += 1;
    const sequence = roundTrips;
    const timeout = request.timeout ?? defaultTimeout;
    const wait = (request.lock?.waitSeconds ?? 0) * 1000;
    const answer = new Promise<Answer>((resolve, reject) => {
      pending = { sequence, request, resolve, reject, isStopped: false };
    });
    const waiting = whenListenedFor(timeout + wait, () => fail(timedOut(host, request, timeout)));
    // The host gives the script up a little later, so that its end is never taken for an answer.
    const parts = encodeRequest(sequence, request, Math.ceil(timeout / 1000) + 5);
    for (const part of parts) channel.input.write(part);
    if (request.isLast === true) channel.input.end();
    try {
      return await answer;
    } finally {
      waiting.cancel();
    }
  };

  words.onTooMany((limit) => fail(tooLarge(host, limit)));
  channel.output.on('data', takeOutput).resume();
  void watchEnd();
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
      if (pending?.request.heedsStop !== true || pending.isStopped) return;
      pending.isStopped = true;
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

function settle(
  { resolve, reject }: Pending,
  { outcome, code, stdout, stderr }: Extract<Frame, { readonly kind: 'answer' }>,
  { host, answerLimit }: ShellOptions,
): void {
  if (outcome === 'locked') reject(lockedError(host, stdout.toString()));
  else if (outcome === 'large') reject(tooLarge(host, answerLimit));
  else resolve({ code, stdout, stderr });
}
