import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  openShell,
  type RemoteShell,
  type ShellChannel,
  type ShellOptions,
} from '../../src/transport/remote-shell.ts';

/** A command on this machine in the place of one on a host: no SSH, everything else is real. */
export interface LocalChannel extends ShellChannel {
  readonly pid: number;
  /** Once the process itself has ended. */
  readonly exited: Promise<void>;
}

export interface Login {
  /** The login shell, `sh` unless said. */
  readonly shell?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export function localChannel(command: string, { shell = 'sh', environment = {} }: Login = {}): LocalChannel {
  const env = { ...process.env, ...environment };
  const child = spawn(shell, ['-c', command], { stdio: 'pipe', env });
  const destroyed = new AbortController();
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(`exit ${code ?? signal}`));
    child.once('error', (error) => resolve(error.message));
    destroyed.signal.addEventListener('abort', () => resolve('destroyed'), { once: true });
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  return {
    input: child.stdin,
    output: child.stdout,
    errors: child.stderr,
    ended,
    exited,
    pid: child.pid ?? 0,
    destroy() {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      destroyed.abort();
    },
  };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hostwright-test-'));
  // A shell that was given up may still write here for a moment.
  onTestFinished(async () => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

export interface LocalShell {
  readonly shell: RemoteShell;
  readonly channel: LocalChannel;
  /** What stands for /run/hostwright. */
  readonly directory: string;
}

/** The remote loop on this machine, below a folder of its own, closed after the test. */
export async function openLocalShell(
  options: Partial<ShellOptions> = {},
  login: Login = {},
): Promise<LocalShell> {
  const directory = options.directory ?? (await temporaryFolder());
  const channels: LocalChannel[] = [];
  const shell = await openShell(
    (command) => {
      const channel = localChannel(command, login);
      channels.push(channel);
      return Promise.resolve(channel);
    },
    {
      host: 'web1',
      user: 'admin',
      become: false,
      startTimeout: 20_000,
      answerLimit: 64 * 1024 * 1024,
      ...options,
      directory,
    },
  );
  onTestFinished(async () => shell.close());
  const [channel] = channels;
  if (channel === undefined) throw new Error('no channel was opened');
  return { shell, channel, directory };
}
