import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../hosts.ts';
import { timed } from '../process.ts';
import type { Listed, Login } from './network.ts';
import { now } from './simulated-host.ts';

/** One process of the controller: seconds of processor, user and system, and megabytes (2^20) at most. */
export interface Share {
  readonly cpu: number;
  readonly memory: number;
}

export interface Usage {
  readonly seconds: number;
  /** Of the process that was started and all that it waited for. */
  readonly cpu: number;
  /** Of all processes together. */
  readonly memory: number;
  /** The process that was started. */
  readonly coordinator: Share;
  readonly workers: readonly Share[];
}

export interface Measured extends Usage {
  /** When it was started, on the clock of the visits. */
  readonly began: number;
  readonly stdout: string;
}

/** Writes at the end of a Node process what it used. One with a way to its parent is a worker. */
const confession = `import{writeFileSync}from'node:fs';
process.on('exit',()=>{const{maxRSS,userCPUTime,systemCPUTime}=process.resourceUsage();
writeFileSync(process.env.BENCH_USAGE+'/'+process.pid,JSON.stringify({memory:maxRSS/1024,
cpu:(userCPUTime+systemCPUTime)/1e6,isWorker:process.send!==undefined}));});`;

const usageSchema = z.object({ memory: z.number(), cpu: z.number(), isWorker: z.boolean() });

/** Runs a program of Node's, and the processes of Node that it starts. */
export async function measure(
  words: readonly string[],
  folder: string,
  expected: readonly number[] = [0],
): Promise<Measured> {
  const usage = join(folder, 'usage');
  await rm(usage, { recursive: true, force: true });
  await mkdir(usage);
  const environment = {
    NO_COLOR: '1',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(confession)}`,
    BENCH_USAGE: usage,
  };
  const began = now();
  const { seconds, cpu, stdout } = await timed({ words, environment, expected });
  const processes = await Promise.all(
    (await readdir(usage)).map(async (file) =>
      usageSchema.parse(JSON.parse(await readFile(join(usage, file), 'utf8'))),
    ),
  );
  const coordinator = processes.find(({ isWorker }) => !isWorker);
  if (coordinator === undefined) throw new Error('the run does not say what it used');
  const workers = processes.filter(({ isWorker }) => isWorker);
  const memory = processes.reduce((sum, one) => sum + one.memory, 0);
  return { began, seconds, cpu, memory, coordinator, workers, stdout };
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
