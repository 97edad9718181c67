import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { createConnect } from '../../src/transport/connect.ts';
import { hostwright, root } from '../hosts.ts';
import { withFigures } from '../page.ts';
import { median, timed } from '../process.ts';
import { checkQuiet, hostsOf } from '../quiet.ts';
import { down, login, up } from './lab.ts';
import { handshakes, measure, type Measured } from './measure.ts';
import { record, simulated, writeInventory, type Listed } from './network.ts';
import { scaleText, type ScaleFigures, type Silent } from './page.ts';
import type { Recording } from './recording.ts';
import { startServers, type Servers } from './servers.ts';
import type { HostOptions, Visit } from './simulated-host.ts';
import { lengths, longestPause, mostAtOnce } from './visits.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '10,100,1000' },
    rounds: { type: 'string', default: '3' },
    forks: { type: 'string', default: '20' },
    processes: { type: 'string', default: '4' },
  },
});
const counts = values.hosts.split(',').map(Number);
const rounds = Number(values.rounds);
const forks = Number(values.forks);
const processes = Number(values.processes);

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function words(verb: readonly string[], inventory: string): readonly string[] {
  const site = join(root, 'bench/site/site.yml');
  const [name = '', ...rest] = verb;
  return [hostwright, name, '-i', inventory, '--site', site, '-e', 'bench_host=all', '--json', ...rest];
}

/** Throws where a simulated host was not asked twice by one connection, or too many stood at the same time. */
function checkVisits(visits: readonly Visit[], simulatedHosts: number): void {
  const wrong = visits.find(({ requests, until }) => requests !== 2 || until === undefined);
  if (wrong !== undefined || visits.length !== simulatedHosts)
    throw new Error(`${visits.length} visits, among them ${JSON.stringify(wrong)}`);
}

/** The three real hosts with the 101 items, and what one of them answers to a plan. */
async function recordReal(real: readonly Listed[], folder: string): Promise<Recording> {
  const own = join(folder, 'real');
  await mkdir(own);
  const inventory = await writeInventory(own, real, login);
  await timed({ words: words(['apply', '--yes'], inventory) });
  const [first] = real;
  if (first === undefined) throw new Error('no real hosts');
  const transport = await createConnect()({
    host: first.name,
    address: first.address,
    user: login.user,
    privateKeyFile: login.privateKeyFile,
    become: true,
    sshArgs: `-F none -o UserKnownHostsFile=${join(own, 'known_hosts')}`,
  });
  try {
    return await record({
      folder,
      login,
      transport,
      run: async (between) => {
        // The lock that `apply` asks for is another one.
        for (const verb of [['plan'], ['apply', '--yes']]) {
          const run = await timed({ words: words(verb, between) });
          checkQuiet(hostsOf(run.stdout), ['between']);
        }
      },
    });
  } finally {
    await transport.close();
  }
}

/** So many workers share the hosts where it is not one process alone. */
const sharing = 2;

function inParallel(workers: number): readonly string[] {
  return ['--forks', String(forks), '--workers', String(workers)];
}

interface Network {
  readonly folder: string;
  readonly real: readonly Listed[];
  readonly servers: Servers;
}

/** `count` hosts, the three real ones among them. */
async function measureCount(
  count: number,
  { folder, real, servers }: Network,
): Promise<ScaleFigures & { readonly resources: number }> {
  const hosts = [...real, ...servers.hosts.filter(({ name }) => name.startsWith('sim'))].slice(0, count);
  const names = hosts.map(({ name }) => name);
  const inventory = await writeInventory(folder, hosts, login);
  const own = {
    handshakes: [] as { seconds: number; cpu: number }[],
    plan: [] as Measured[],
    shared: [] as Measured[],
    apply: [] as Measured[],
  };
  let [most, resources] = [0, 0];
  let visits: readonly Visit[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await servers.visits();
    own.handshakes.push(await handshakes(hosts, login, forks, folder));
    await servers.visits();
    for (const workers of [sharing, 1]) {
      const planned = await measure(words(['plan', ...inParallel(workers)], inventory), folder);
      [resources = 0] = checkQuiet(hostsOf(planned.stdout), names);
      visits = await servers.visits();
      checkVisits(visits, Math.max(count - real.length, 0));
      (workers === 1 ? own.plan : own.shared).push(planned);
      most = Math.max(most, mostAtOnce(visits));
      if (most > forks) throw new Error(`${most} hosts at the same time, not ${forks}`);
      say(
        `${count} hosts, ${workers} at work: handshakes ${own.handshakes.at(-1)?.seconds.toFixed(2)} s, plan ${planned.seconds.toFixed(2)} s, ${planned.cpu.toFixed(2)} s of processor, ${planned.memory.toFixed(0)} MiB`,
      );
    }
  }
  const applied = await measure(words(['apply', '--yes', ...inParallel(1)], inventory), folder);
  checkQuiet(hostsOf(applied.stdout), names);
  own.apply.push(applied);
  const sorted = lengths(visits);
  return {
    ...own,
    hosts: count,
    resources,
    mostAtOnce: most,
    connected: { median: median(sorted), longest: sorted.at(-1) ?? NaN },
    pause: longestPause(visits.toSorted((a, b) => a.from - b.from).slice(1), visits[0]?.from ?? NaN),
  };
}

/** A hundred hosts, and before them two that never answer. */
async function measureSilence({ folder, servers }: Network): Promise<Silent> {
  const others = servers.hosts.filter(({ name }) => name.startsWith('sim')).slice(0, 100);
  const silent = servers.hosts.filter(({ name }) => !name.startsWith('sim'));
  const inventory = await writeInventory(folder, [...silent, ...others], login);
  await servers.visits();
  // Unreachable hosts make it status 3, one that lets in and then fails status 1.
  const run = await measure(words(['plan', '--forks', String(forks)], inventory), folder, [1, 3]);
  const found = hostsOf(run.stdout);
  checkQuiet(
    found,
    others.map(({ name }) => name),
  );
  const visits = await servers.visits();
  const ended = (of: (name: string) => boolean): number =>
    (Math.max(...visits.filter(({ host }) => of(host)).map(({ until }) => until ?? Infinity)) - run.began) /
    1000;
  return {
    hosts: others.length,
    lastOther: ended((name) => name.startsWith('sim')),
    deaf: ended((name) => name === 'deaf'),
    mute: ended((name) => name === 'mute'),
    whole: run.seconds,
  };
}

const folder = await mkdtemp(join(tmpdir(), 'hws-'));
let servers: Servers | undefined;
try {
  const load = loadavg()[0] ?? 0;
  const real = await up();
  const recording = await recordReal(real, folder);
  const hosts: readonly HostOptions[] = [
    { name: 'deaf', address: '127.0.2.1', silent: 'tcp' },
    { name: 'mute', address: '127.0.2.2', silent: 'shell' },
    ...simulated(Math.max(...counts, 100)),
  ];
  const authorized = await readFile(`${login.privateKeyFile}.pub`, 'utf8');
  servers = await startServers({ hosts, processes, authorized, recording });
  const network = { folder, real, servers };
  const figures: (ScaleFigures & { readonly resources: number })[] = [];
  for (const count of counts) figures.push(await measureCount(count, network));
  const silent = await measureSilence(network);
  const flags = process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [];
  const page = join(root, 'docs/benchmarks.md');
  const text = scaleText({
    command: ['npm run bench:scale', ...flags].join(' '),
    date: new Date(),
    machine: `${availableParallelism()} processors for the controller and the hosts, load ${load.toFixed(1)} at the start`,
    forks,
    rounds,
    resources: figures[0]?.resources ?? 0,
    figures,
    silent,
  });
  const whole = withFigures(await readFile(page, 'utf8'), text, 'npm run bench:scale');
  await writeFile(page, await format(whole, { ...(await resolveConfig(page)), parser: 'markdown' }));
} finally {
  await servers?.close();
  await down();
  await rm(folder, { recursive: true, force: true });
}
