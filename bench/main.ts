import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { delayPath } from './delay.ts';
import type { Cost, Sample, Scale } from './figures.ts';
import { direct, down, hostsBy, hostwright, reset, root, sshAll, up, type Hosts } from './hosts.ts';
import { barGroups, pageText, withFigures } from './page.ts';
import { plot } from './plot.ts';
import { timed } from './process.ts';
import { hostwrightWords, installedTools, verify, type Task, type Tool } from './tools.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    'first-runs': { type: 'string', default: '1' },
    'slow-runs': { type: 'string', default: '1' },
    delay: { type: 'string', default: '50' },
    tools: { type: 'string' },
  },
});
const runs = Number(values.runs);
const firstRuns = Number(values['first-runs']);
const slowRuns = Number(values['slow-runs']);
const delay = Number(values.delay);
const asked = values.tools?.split(',');

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What is known so far; the page is written anew after each part, so that a run cut short leaves its part. */
interface Progress {
  readonly samples: Sample[];
  readonly scales: Scale[];
  readonly costs: Cost[];
  readonly publish: () => Promise<void>;
}

async function measure(tool: Tool, task: Task, word: string, { samples, publish }: Progress): Promise<void> {
  const { seconds } = await tool.run(task, word);
  say(`${tool.name}: ${task} ${seconds.toFixed(2)} s`);
  samples.push({ tool: tool.name, task, seconds });
  await publish();
}

/** Each tool on bare hosts, whose packages are in the lab's cache. */
async function measureFirstRuns(tools: readonly Tool[], hosts: Hosts, progress: Progress): Promise<void> {
  for (let round = 0; round < firstRuns; round += 1) {
    for (const tool of tools) {
      await reset(hosts);
      await measure(tool, 'first run', '0', progress);
      await verify(hosts, '0');
    }
  }
}

/** No-ops and changes in turn, one of each tool a round: what slows the machine slows all of them. */
async function measureRounds(tools: readonly Tool[], hosts: Hosts, progress: Progress): Promise<void> {
  let word = '0';
  for (let round = 0; round < runs; round += 1) {
    const due = tools.filter((tool) => !tool.slow || round < slowRuns);
    for (const tool of due) await measure(tool, 'no-op', word, progress);
    for (const tool of due) {
      word = `${tool.name.replaceAll(/\W/g, '-')}-${round}`;
      await measure(tool, 'one change', word, progress);
      await verify(hosts, word);
    }
  }
}

function manyWords(hosts: Hosts, verb: readonly string[], files: number): readonly string[] {
  return hostwrightWords(hosts, [...verb, '--json', '-e', JSON.stringify({ many_files: files })], 'many.yml');
}

function readMany(files: number): string {
  return `cd /srv/many; seq 0 ${files - 1} | sed 's/$/.conf/' >/tmp/many; xargs stat -c '%n %a %U %G' </tmp/many >/tmp/stat; xargs sha256sum </tmp/many\n`;
}

/** No-ops with more and more files, without and with a delay in the path. */
async function measureScales(near: Hosts, folder: string, progress: Progress): Promise<void> {
  const path = await delayPath(direct, delay);
  const far = await hostsBy(join(folder, 'far'), path.ways);
  for (const files of [10, 100, 1000]) {
    await timed({ words: manyWords(near, ['apply', '--yes'], files) });
    const own = { direct: [] as number[], delayed: [] as number[] };
    const floor = { direct: [] as number[], delayed: [] as number[] };
    for (let round = 0; round < runs; round += 1) {
      for (const [name, hosts] of [['direct', near] as const, ['delayed', far] as const]) {
        floor[name].push((await sshAll(hosts, () => readMany(files))).timed.seconds);
        own[name].push((await timed({ words: manyWords(hosts, ['plan'], files) })).seconds);
      }
    }
    progress.scales.push(
      { tool: 'floor', resources: files, ...floor },
      { tool: 'Hostwright', resources: files, ...own },
    );
    say(`${files} files: ${JSON.stringify({ floor, own })}`);
  }
  await path.close();
  await progress.publish();
}

/** What the controller alone does. The last site that was applied must be that of 1,000 files. */
async function measureCosts(hosts: Hosts, progress: Progress): Promise<void> {
  const plan = (files: number) => [...manyWords(hosts, ['plan', '--limit', 'web1', '--no-diff'], files)];
  const commands: readonly { what: string; words: readonly string[]; expected: readonly number[] }[] = [
    { what: '`hostwright --version`', words: [hostwright, '--version'], expected: [0] },
    { what: 'a plan of one host with 0 files', words: plan(0), expected: [0] },
    { what: 'a plan of one host with 1,000 files', words: plan(1000), expected: [0] },
  ];
  const costs = commands.map(({ what }) => ({ what, cpu: [] as number[] }));
  for (let round = 0; round < runs; round += 1) {
    for (const [index, { words, expected }] of commands.entries())
      costs[index]?.cpu.push((await timed({ words, expected })).cpu);
  }
  say(JSON.stringify(costs));
  progress.costs.push(...costs);
  await progress.publish();
}

const folder = await mkdtemp(join(tmpdir(), 'hwb-'));
try {
  await up();
  const hosts = await hostsBy(folder, direct);
  const installed = await installedTools(hosts, folder);
  const tools = installed.filter((tool) => asked === undefined || asked.includes(tool.name));
  const load = loadavg()[0] ?? 0;
  const [samples, scales, costs]: [Sample[], Scale[], Cost[]] = [[], [], []];
  const publish = async (): Promise<void> => {
    const flags = process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [];
    const figures = {
      command: ['npm run bench', ...flags].join(' '),
      date: new Date(),
      machine: `${availableParallelism()} processors, load ${load.toFixed(1)} at the start and ${(loadavg()[0] ?? 0).toFixed(1)} at the end`,
      delay,
      tools: tools.map(({ name, version }) => ({ name, version })),
      samples,
      scales,
      costs,
    };
    const page = join(root, 'docs/benchmarks.md');
    const text = withFigures(await readFile(page, 'utf8'), pageText(figures));
    await writeFile(page, await format(text, { ...(await resolveConfig(page)), parser: 'markdown' }));
    await writeFile(join(root, 'docs/benchmarks.svg'), plot(barGroups(figures)));
  };
  const progress = { samples, scales, costs, publish };
  await reset(hosts);
  await tools[0]?.run('first run', '0');
  await measureRounds(tools, hosts, progress);
  await measureScales(hosts, folder, progress);
  await measureCosts(hosts, progress);
  await measureFirstRuns(tools, hosts, progress);
} finally {
  await down();
  await rm(folder, { recursive: true, force: true });
}
