import { spawn } from 'node:child_process';
import { HostwrightError } from '../errors.ts';

export interface CommandOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The hint of the error when the command fails. */
  readonly hint?: string;
  /** Milliseconds until it is ended; default none. */
  readonly timeout?: number;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this machine to its end; a program that is missing has code 127. */
export async function tryCommand(
  command: string,
  words: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await new Promise((resolve) => {
    const child = spawn(command, words, {
      env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.environment },
      timeout: options.timeout,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // The program may end without reading what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => resolve({ code: 127, stdout: '', stderr: error.message }));
    child.on('close', (code) => {
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}

/** Like tryCommand; E_LAB with the program's last output when it fails. Returns its standard output. */
export async function runCommand(
  command: string,
  words: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await tryCommand(command, words, options);
  if (result.code === 0) return result.stdout;
  throw new HostwrightError('E_LAB', `${command} failed with status ${result.code}`, {
    found: lastLines(result.stderr === '' ? result.stdout : result.stderr),
    hint: options.hint,
  });
}

export function lastLines(text: string, count = 8): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
