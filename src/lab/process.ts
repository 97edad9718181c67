import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { lastLines } from './command.ts';
import { waitFor } from './wait.ts';

/** A process of the lab that outlives the command that starts it. */
export interface ProcessPlan {
  /** For people: `name server`. */
  readonly title: string;
  /** The file that says which process it is. */
  readonly record: string;
  readonly log: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Recorded {
  readonly pid: number;
  /** Clock ticks between the start of the machine and that of the process: a reused number has another. */
  readonly start: string;
  readonly boot: string;
  /** Digest of the command, to see that it is due for a restart. */
  readonly digest: string;
}

// The shell notes its own number before it becomes the program, so that no moment exists in which a
// process runs that no file knows of. exec keeps both the number and the start time.
const recordAndBecome = `
start=$(cut -d ' ' -f 22 /proc/$$/stat)
printf '%s %s %s %s\\n' $$ "$start" "$(cat /proc/sys/kernel/random/boot_id)" "$2" > "$1.new" && mv "$1.new" "$1" || exit 1
shift 2
exec "$@"`;

/** Starts it unless it runs already with the same command. */
export async function ensureProcess(plan: ProcessPlan): Promise<'started' | 'running'> {
  const digest = createHash('sha256')
    .update(JSON.stringify([plan.command, plan.environment ?? {}]))
    .digest('hex');
  const recorded = await findProcess(plan.record);
  if (recorded?.digest === digest) return 'running';
  await stopProcess(plan.record);
  await mkdir(dirname(plan.record), { recursive: true });
  await mkdir(dirname(plan.log), { recursive: true });
  const log = await open(plan.log, 'a');
  const child = spawn('/bin/sh', ['-c', recordAndBecome, 'sh', plan.record, digest, ...plan.command], {
    detached: true,
    cwd: '/',
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      ...plan.environment,
    },
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(child, 'spawn');
  child.unref();
  await log.close();
  await waitFor(
    10_000,
    async () => {
      const ended = child.exitCode !== null || child.signalCode !== null;
      return ended || (await findProcess(plan.record)) !== undefined ? true : undefined;
    },
    10,
  );
  return 'started';
}

/** Waits until `ready` says true; E_LAB with the end of its log when it ends before, or takes too long. */
export async function awaitProcess(
  plan: ProcessPlan,
  timeout: number,
  ready: () => Promise<boolean>,
): Promise<void> {
  const outcome = await waitFor(timeout, async () => {
    // In this order: something else may answer on the port that ours could not get.
    const answers = await ready();
    if ((await findProcess(plan.record)) === undefined) return 'ended' as const;
    return answers ? ('ready' as const) : undefined;
  });
  if (outcome === 'ready') return;
  const log = await readFile(plan.log, 'utf8').catch(() => '');
  throw new HostwrightError(
    'E_LAB',
    outcome === 'ended' ? `the ${plan.title} ended at once` : `the ${plan.title} does not answer`,
    {
      found: lastLines(log),
      hint: `read ${plan.log}`,
    },
  );
}

/** The process of a record if that very process still runs. */
export async function findProcess(record: string): Promise<Recorded | undefined> {
  const text = await readFile(record, 'utf8').catch(() => '');
  const [pid, start, boot, digest] = text.trim().split(' ');
  if (pid === undefined || start === undefined || boot === undefined || digest === undefined)
    return undefined;
  const currentBoot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  if (currentBoot.trim() !== boot) return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold blanks and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[19] !== start) return undefined;
  return { pid: Number(pid), start, boot, digest };
}

/** When the process of a record was started, if it still runs. */
export async function startedAt(record: string): Promise<Date | undefined> {
  const found = await findProcess(record);
  if (found === undefined) return undefined;
  const booted = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1];
  // USER_HZ is 100 on every architecture that Debian has.
  return new Date((Number(booted) + Math.floor(Number(found.start) / 100)) * 1000);
}

/** Ends the process of a record, if it is still that process, and forgets it. */
export async function stopProcess(record: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const found = await findProcess(record);
    if (found === undefined) break;
    try {
      process.kill(found.pid, signal);
    } catch {
      // It ended by itself in this very moment.
    }
    await waitFor(5000, async () => ((await findProcess(record)) === undefined ? true : undefined), 20);
  }
  await rm(record, { force: true });
}
