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
export function localChannel(shell: string, command: string): ShellChannel & { readonly pid: number } {
  const child = spawn(shell, ['-c', command], { stdio: 'pipe' });
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(`exit ${code ?? signal}`));
    child.once('error', (error) => resolve(error.message));
  });
  return {
    input: child.stdin,
    output: child.stdout,
    errors: child.stderr,
    ended,
    pid: child.pid ?? 0,
    destroy() {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hostwright-test-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const defaults = {
  host: 'web1',
  user: 'admin',
  become: false,
  startTimeout: 20_000,
  answerLimit: 64 * 1024 * 1024,
} as const;

export interface LocalShell extends RemoteShell {
  readonly directory: string;
  readonly pid: number;
}

/** The remote loop on this machine, below a folder of its own, closed after the test. */
export async function openLocalShell(
  options: Partial<ShellOptions> & { readonly login?: string } = {},
): Promise<LocalShell> {
  const directory = options.directory ?? (await temporaryFolder());
  let pid = 0;
  const shell = await openShell(
    (command) => {
      const channel = localChannel(options.login ?? 'sh', command);
      pid = channel.pid;
      return Promise.resolve(channel);
    },
    { ...defaults, ...options, directory },
  );
  onTestFinished(async () => shell.close());
  return Object.assign(Object.create(shell) as RemoteShell, {
    request: shell.request.bind(shell),
    directory,
    pid,
  });
}
