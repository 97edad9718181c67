import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { names, root, sshAll, type Hosts } from '../hosts.ts';
import { withFigures } from '../page.ts';
import { timed, type Timed } from '../process.ts';
import { checkQuiet, hostsOf } from '../quiet.ts';
import { down, hostSeconds, siteWords, up } from './lab.ts';
import { rerunText, type Cost } from './page.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '7' }, keep: { type: 'boolean', default: false } },
});
const runs = Number(values.runs);

/** Milliseconds in which a host is watched with nothing to do, and after a run, whose sessions end on their own. */
const idleTime = 3000;
const endTime = 1000;

/** What each host has used from now until the end of `work`. */
async function spent(work: () => Promise<unknown>): Promise<readonly number[]> {
  const before = await hostSeconds();
  await work();
  const after = await hostSeconds();
  return after.map((seconds, index) => seconds - (before[index] ?? NaN));
}

async function idleRates(): Promise<readonly number[]> {
  const used = await spent(() => pause(idleTime));
  return used.map((seconds) => seconds / (idleTime / 1000));
}

async function costOf(work: () => Promise<Timed>, idle: readonly number[]): Promise<Cost> {
  let run: Timed | undefined;
  const began = performance.now();
  const used = await spent(async () => {
    run = await work();
    await pause(endTime);
  });
  const whole = (performance.now() - began) / 1000;
  if (run === undefined) throw new RangeError('nothing was run');
  const hosts = used.map((seconds, index) => seconds - whole * (idle[index] ?? NaN));
  return { seconds: run.seconds, cpu: run.cpu, hosts };
}

/** Three ssh, the plan and the rest of the hosts in turn: what slows the machine slows all of them. */
async function measure(hosts: Hosts) {
  const [floor, plan, idle]: [Cost[], Cost[], (readonly number[])[]] = [[], [], []];
  let resources: readonly number[] = [];
  for (let round = 0; round < runs; round += 1) {
    const rates = await idleRates();
    idle.push(rates);
    floor.push(await costOf(async () => (await sshAll(hosts, () => '')).timed, rates));
    plan.push(
      await costOf(async () => {
        const run = await timed({ words: siteWords('plan', '--json') });
        resources = checkQuiet(hostsOf(run.stdout), names);
        return run;
      }, rates),
    );
    process.stderr.write(`${JSON.stringify({ floor: floor.at(-1), plan: plan.at(-1) })}\n`);
  }
  return { floor, plan, idle, resources };
}

try {
  const hosts = await up();
  const load = loadavg()[0] ?? 0;
  const measured = await measure(hosts);
  const flags = process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [];
  const page = join(root, 'docs/benchmarks.md');
  const text = rerunText({
    ...measured,
    command: ['npm run bench:site', ...flags].join(' '),
    date: new Date(),
    machine: `${availableParallelism()} processors for the controller and the hosts, load ${load.toFixed(1)} at the start`,
  });
  const whole = withFigures(await readFile(page, 'utf8'), text, 'npm run bench:site');
  await writeFile(page, await format(whole, { ...(await resolveConfig(page)), parser: 'markdown' }));
} finally {
  if (!values.keep) await down();
}
