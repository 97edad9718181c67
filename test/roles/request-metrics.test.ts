import { spawn, type ChildProcess } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import agent from '../../roles/monitoring_agent/role.ts';
import { hosts, ofType, resourcesOf } from '../../src/testing/index.ts';

const declared = hosts
  .slice(0, 1)
  .map((host) => ({ kind: 'request_log', path: '/var/log/nginx/access.log', host, role: 'nginx' }));

/** The program, as the role writes it. */
function program(): string {
  const files = ofType(resourcesOf(agent, { declared }), 'file') as readonly {
    path: string;
    content: string;
  }[];
  return files.find(({ path }) => path.endsWith('/request-metrics'))?.content ?? '';
}

let folder: string;
let log: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostwright-requests-'));
  log = join(folder, 'access.log');
  await writeFile(join(folder, 'program'), program());
  await writeFile(log, line(200, '1'));
});

afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true });
});

function start(): void {
  child = spawn('sh', [join(folder, 'program'), log, folder, '0.05'], { stdio: 'inherit' });
}

async function stop(): Promise<void> {
  if (child === undefined) return;
  const ended = new Promise((done) => child?.once('exit', done));
  child.kill('SIGKILL');
  await ended;
  child = undefined;
}

/** As nginx writes it, of a visitor who asks for what looks like a field of the log. */
function line(status: number, time: string): string {
  return `{"time":"x","uri":"/\\",\\"status\\":500,\\"request_time\\":99","status":${status},"bytes":1,"request_time":${time},"app_time":"0"}\n`;
}

/** The metrics without their long name: `count{status="2xx"}`. */
async function metrics(): Promise<Readonly<Record<string, number>>> {
  const text = await readFile(join(folder, 'hostwright_requests.prom'), 'utf8').catch(() => '');
  const found = text.matchAll(/^hostwright_http_request_duration_seconds_(\S+) (\S+)$/gm);
  return Object.fromEntries([...found].map(([, name = '', value]) => [name, Number(value)]));
}

async function has(expected: Readonly<Record<string, number>>): Promise<void> {
  await expect.poll(metrics, { timeout: 10_000 }).toMatchObject(expected);
}

async function begun(): Promise<void> {
  const at = async () => readFile(join(folder, 'hostwright_requests.prom'), 'utf8').catch(() => '');
  await expect.poll(at, { timeout: 10_000 }).toContain('# at ');
}

it('counts what comes, by status and time, and neither what was there nor a websocket', async () => {
  start();
  await begun();
  await appendFile(log, line(200, '0.004') + line(204, '1234e-6') + line(502, '0.3') + line(101, '60'));
  await has({
    'bucket{status="2xx",le="0.005"}': 2,
    'bucket{status="2xx",le="+Inf"}': 2,
    'count{status="2xx"}': 2,
    'sum{status="2xx"}': 0.005234,
    'bucket{status="5xx",le="0.25"}': 0,
    'bucket{status="5xx",le="0.5"}': 1,
  });
  expect(Object.keys(await metrics()).filter((name) => name.startsWith('count'))).toHaveLength(2);
});

it('counts a line when it is whole, and once, also when it is killed', async () => {
  start();
  await begun();
  const [half, rest] = [line(200, '20.5').slice(0, 40), line(200, '20.5').slice(40)];
  await appendFile(log, line(200, '0.02') + half);
  await has({ 'count{status="2xx"}': 1 });
  await stop();
  await appendFile(log, rest + line(200, '0.02'));
  start();
  await has({ 'count{status="2xx"}': 3, 'bucket{status="2xx",le="10"}': 2, 'sum{status="2xx"}': 20.54 });
});

it('loses nothing when the log is rotated', async () => {
  start();
  await begun();
  await appendFile(log, line(200, '0.02'));
  await has({ 'count{status="2xx"}': 1 });
  await stop();
  await appendFile(log, line(200, '0.02').repeat(2));
  await rename(log, `${log}.1`);
  await writeFile(log, line(200, '7'));
  start();
  await has({ 'count{status="2xx"}': 4, 'bucket{status="2xx",le="5"}': 3 });
  await appendFile(log, line(404, '0.001'));
  await has({ 'count{status="2xx"}': 4, 'count{status="4xx"}': 1 });
});

it('goes where the host has no such log any more', () => {
  const ids = (given: object) => ofType(resourcesOf(agent, given), 'unit').map((one) => JSON.stringify(one));
  const mine = (given: object) => ids(given).filter((one) => one.includes('hostwright-request-metrics'));
  expect(mine({})).toEqual([]);
  expect(mine({ applied: ['unit:hostwright-request-metrics.service'] })).toEqual([
    expect.stringContaining('"absent":true'),
  ]);
});

it('has its program before its unit, which systemd checks', () => {
  const unit = resourcesOf(agent, { declared }).find(
    ({ attributes }) => 'name' in attributes && attributes.name === 'hostwright-request-metrics.service',
  );
  expect(unit?.needs).toContain('file:/usr/local/lib/hostwright/request-metrics');
});
