import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createListener, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import server from '../../roles/monitoring_server/role.ts';
import { hosts, ofType, resourcesOf } from '../../src/testing/index.ts';
import { dashboardPage } from '../../roles/monitoring_server/dashboard.ts';
import { current, history, type Broken } from './metrics.ts';

const execute = promisify(execFile);

export interface Front {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  readonly prometheus: string;
  /** Values that differ from now on. */
  breaks(values: Broken): void;
  stopFront(): Promise<void>;
  startFront(): Promise<void>;
  stopPrometheus(): Promise<void>;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const listener = createListener().listen(0, '127.0.0.1');
  await new Promise((done) => listener.once('listening', done));
  const { port } = listener.address() as AddressInfo;
  await new Promise((done) => listener.close(done));
  return port;
}

async function until(url: string, child: ChildProcess): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} has ended with ${child.exitCode}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${child.spawnfile} does not answer at ${url}`);
}

function start(command: string, words: readonly string[]): ChildProcess {
  return spawn(command, words, {
    stdio: ['ignore', 'ignore', process.env['HOSTWRIGHT_TEST_LOUD'] ? 'inherit' : 'ignore'],
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await ended;
}

/** What the roles of the site declare. */
const declared = hosts.flatMap((host, index) => [
  ...(index === 0 ? [{ ...dashboardPage, host, role: 'monitoring_server' }] : []),
  ...(index === 0 ? [] : [{ kind: 'database', role: index === 1 ? 'primary' : 'replica', host }]),
  { kind: 'scrape', job: 'nginx', port: 9113, host, role: 'monitoring_agent' },
]);

/** The files of the role, as they are on the monitoring host. */
function filesOf(variables: object): ReadonlyMap<string, string | Uint8Array> {
  const resources = resourcesOf(server, { variables: { ...variables }, declared });
  return new Map(
    ofType(resources, 'file').flatMap((attributes) =>
      'path' in attributes && 'content' in attributes && attributes.content !== undefined
        ? [[String(attributes.path), attributes.content as string | Uint8Array] as const]
        : [],
    ),
  );
}

/**
 * What the role monitoring_server sets up, on this machine: its nginx, and Prometheus and Alertmanager with its rules,
 * which fire at once. Prometheus knows the last two hours of a site of three hosts, and reads what goes on.
 */
export async function openFront(variables: object = {}): Promise<Front> {
  const folder = await mkdtemp(join(tmpdir(), 'hostwright-front-'));
  // The workers of nginx are nobody's when root starts it.
  await chmod(folder, 0o755);
  const [port, prometheusPort, alertmanagerPort, exporterPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const files = filesOf({
    domain: 'www.foobar.com',
    monitoring_scrape_seconds: 1,
    ...variables,
    dashboard_port: port,
  });
  const moved = (text: string): string =>
    text
      .replaceAll('127.0.0.1:9090', `127.0.0.1:${prometheusPort}`)
      .replaceAll('127.0.0.1:9093', `127.0.0.1:${alertmanagerPort}`)
      .replaceAll(/ (\/(?:var\/lib|usr\/local\/share)\/[\w/.-]+)/g, ` ${folder}$1`);
  for (const [path, content] of files) {
    const at = join(folder, path);
    await mkdir(dirname(at), { recursive: true });
    const isOurs = path.endsWith('.conf') || path.includes('rules');
    await writeFile(
      at,
      typeof content === 'string' && isOurs ? moved(content).replaceAll(/for: \w+/g, 'for: 0s') : content,
    );
  }
  await mkdir(join(folder, 'var/lib/hostwright-dashboard'), { recursive: true });

  const began = Math.floor(Date.now() / 1000) - 2 * 3600;
  let broken: Broken = {};
  const exporter = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(current(began, Date.now() / 1000, broken));
  }).listen(exporterPort, '127.0.0.1');

  // Until Prometheus reads by itself, which takes a while on a busy machine.
  await writeFile(join(folder, 'history'), history(began, Math.floor(Date.now() / 1000) + 25, 5));
  const data = join(folder, 'data');
  await execute('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'history'), data]);
  await writeFile(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [join(folder, 'etc/prometheus/rules/*.yml')],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
      scrape_configs: [
        {
          job_name: 'invented',
          honor_labels: true,
          // As in the history.
          metric_relabel_configs: [{ action: 'labeldrop', regex: 'instance' }],
          static_configs: [{ targets: [`127.0.0.1:${exporterPort}`], labels: { host: 'invented' } }],
        },
      ],
    }),
  );
  await writeFile(
    join(folder, 'alertmanager.yml'),
    JSON.stringify({ route: { receiver: 'nobody', group_wait: '1s' }, receivers: [{ name: 'nobody' }] }),
  );

  const url = `http://127.0.0.1:${port}/`;
  const conf = join(folder, 'etc/hostwright-dashboard/nginx.conf');
  const prometheus = start('prometheus', [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ]);
  const alertmanager = start('prometheus-alertmanager', [
    `--config.file=${join(folder, 'alertmanager.yml')}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    '--cluster.listen-address=',
  ]);
  let nginx: ChildProcess | undefined;
  const startFront = async (): Promise<void> => {
    nginx = start('nginx', ['-c', conf]);
    await until(url, nginx);
  };
  await Promise.all([
    until(`http://127.0.0.1:${prometheusPort}/-/ready`, prometheus),
    until(`http://127.0.0.1:${alertmanagerPort}/-/ready`, alertmanager),
    startFront(),
  ]);
  return {
    url,
    prometheus: `http://127.0.0.1:${prometheusPort}`,
    breaks: (values) => {
      broken = values;
    },
    stopFront: async () => {
      if (nginx !== undefined) await stop(nginx);
    },
    startFront,
    stopPrometheus: () => stop(prometheus),
    async close() {
      exporter.close();
      await Promise.all([prometheus, alertmanager, ...(nginx === undefined ? [] : [nginx])].map(stop));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
