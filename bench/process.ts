import { spawn } from 'node:child_process';

export interface Timed {
  /** Seconds by the clock. */
  readonly seconds: number;
  /** Seconds of processor, user and system, of the process and all that it waited for. */
  readonly cpu: number;
  readonly stdout: string;
}

export interface Command {
  readonly words: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly input?: string;
  /** Exit statuses that are no failure; 0 unless said. */
  readonly expected?: readonly number[];
}

/** Runs a command under bash, whose `time` tells the processor time of what it waited for. */
export function timed({ words, environment, folder, input, expected = [0] }: Command): Promise<Timed> {
  return new Promise((resolve, reject) => {
    const script = 'TIMEFORMAT="%R %U %S"; { time "$@" 2>&4 4>&-; } 4>&2 2>&3';
    const child = spawn('bash', ['-c', script, 'bash', ...words], {
      env: { ...process.env, ...environment },
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    let [stdout, stderr, times] = ['', '', ''];
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdio[3]?.on('data', (chunk: Buffer) => (times += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === null || !expected.includes(code)) {
        reject(
          new Error(`${words.slice(0, 4).join(' ')} ended with ${code}:\n${stdout}\n${stderr}`.slice(-4000)),
        );
        return;
      }
      const [seconds = NaN, user = NaN, system = NaN] = times.trim().split(' ').map(Number);
      resolve({ seconds, cpu: user + system, stdout });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
