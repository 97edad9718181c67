import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../hosts.ts';
import { timed } from '../process.ts';
import type { Listed, Login } from './network.ts';
import { now } from './simulated-host.ts';

/** Seconds, and megabytes (2^20) of the process of the controller itself. */
export interface Usage {
  readonly seconds: number;
  /** User and system, of the process and all that it waited for. */
  readonly cpu: number;
  readonly memory: number;
}

export interface Measured extends Usage {
  /** When it was started, on the clock of the visits. */
  readonly began: number;
  readonly stdout: string;
}

/** Writes at the end of a Node process how much memory it ever had. */
const confession = `import{writeFileSync}from'node:fs';
process.on('exit',()=>writeFileSync(process.env.BENCH_USAGE,JSON.stringify(process.resourceUsage())));`;

const usageSchema = z.object({ maxRSS: z.number() });

/** Runs a program of Node's. */
export async function measure(
  words: readonly string[],
  folder: string,
  expected: readonly number[] = [0],
): Promise<Measured> {
  const file = join(folder, 'usage.json');
  const environment = {
    NO_COLOR: '1',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(confession)}`,
    BENCH_USAGE: file,
  };
  const began = now();
  const { seconds, cpu, stdout } = await timed({ words, environment, expected });
  const { maxRSS } = usageSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  return { began, seconds, cpu, memory: maxRSS / 1024, stdout };
}

const handshakeSchema = z.object({ seconds: z.number(), cpu: z.number() });

/** What the handshakes with these hosts take alone, without the start of the program that makes them. */
export async function handshakes(
  hosts: readonly Listed[],
  { user, privateKeyFile }: Login,
  forks: number,
  folder: string,
): Promise<{ readonly seconds: number; readonly cpu: number }> {
  const work = join(folder, 'handshakes.json');
  await writeFile(work, JSON.stringify({ ways: hosts, user, key: privateKeyFile, forks }));
  const words = [join(root, 'node_modules/.bin/jiti'), join(root, 'bench/scale/handshakes.ts'), work];
  return handshakeSchema.parse(JSON.parse((await timed({ words })).stdout));
}
