import { request } from 'node:http';
import { createConnection } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { runCommand } from './command.ts';
import { withLock } from './lock.ts';
import type { Mirror } from './mirror.ts';
import { awaitProcess, ensureProcess, findProcess, stopProcess } from './process.ts';
import type { ProcessPlan } from './process.ts';
import { labFolders, machineAddress, sharedFolders } from './settings.ts';
import type { LabSettings } from './settings.ts';
import { labNames } from './state.ts';

// One apt-cacher-ng serves all labs of the machine, because two must not share a cache folder. It listens
// on loopback; a systemd-socket-proxyd for each lab leads there from the lab's own bridge.

const portOnBridge = 3142;
/** apt-cacher-ng 3.7 cannot bind ports above 32767. */
const firstPort = 23_142;

export const proxyAddress = (settings: LabSettings): string =>
  `http://${machineAddress(settings)}:${portOnBridge}`;

const cacherRecord = (settings: LabSettings): string =>
  join(sharedFolders(settings).proxy, 'apt-cacher-ng.process');
const forwarderRecord = (settings: LabSettings): string => join(labFolders(settings).run, 'proxy');

/** Starts what is missing of the proxy and waits until it answers on the bridge. */
export async function ensureProxy(settings: LabSettings, mirror: Mirror): Promise<void> {
  const port = await withLock(settings, 'proxy', () => ensureCacher(settings, mirror));
  const address = machineAddress(settings);
  const forwarder: ProcessPlan = {
    title: 'package proxy',
    record: forwarderRecord(settings),
    log: join(labFolders(settings).log, 'proxy.log'),
    command: [
      'systemd-socket-activate',
      '--listen',
      `${address}:${portOnBridge}`,
      '/usr/lib/systemd/systemd-socket-proxyd',
      `127.0.0.1:${port}`,
    ],
  };
  await ensureProcess(forwarder);
  await awaitProcess(forwarder, 10_000, () => answers(address, portOnBridge));
}

async function ensureCacher(settings: LabSettings, mirror: Mirror): Promise<number> {
  const { proxy: folder } = sharedFolders(settings);
  const portFile = join(folder, 'port');
  const running = (await findProcess(cacherRecord(settings))) !== undefined;
  const before = Number(await readFile(portFile, 'utf8').catch(() => '0'));
  const port = running && before > 0 ? before : await freePort();
  await mkdir(join(folder, 'cache'), { recursive: true });
  await mkdir(join(folder, 'log'), { recursive: true });
  await mkdir(join(folder, 'conf'), { recursive: true, mode: 0o750 });
  // The addresses of the mirror may hold a password.
  await writeFile(join(folder, 'conf', 'acng.conf'), configuration(folder, port, mirror), { mode: 0o640 });
  await runCommand('chown', ['-R', '--from=root', 'apt-cacher-ng:apt-cacher-ng', folder]);
  await writeFile(portFile, `${port}\n`);
  const plan: ProcessPlan = {
    title: 'package cache',
    record: cacherRecord(settings),
    log: join(folder, 'log', 'output.log'),
    command: [
      'setpriv',
      '--reuid=apt-cacher-ng',
      '--regid=apt-cacher-ng',
      '--init-groups',
      'apt-cacher-ng',
      '-c',
      join(folder, 'conf'),
      `Port:${port}`,
    ],
  };
  await ensureProcess(plan);
  await awaitProcess(plan, 10_000, () => answers('127.0.0.1', port));
  return port;
}

function configuration(folder: string, port: number, mirror: Mirror): string {
  return [
    `CacheDir: ${folder}/cache`,
    `LogDir: ${folder}/log`,
    'SupportDir: /usr/lib/apt-cacher-ng',
    'BindAddress: 127.0.0.1',
    `Port: ${port}`,
    'ForeGround: 1',
    `Remap-debrep: deb.debian.org/debian ; ${mirror.main}`,
    ...(mirror.security === undefined
      ? []
      : [
          `Remap-secrep: deb.debian.org/debian-security security.debian.org/debian-security security.debian.org ; ${mirror.security}`,
        ]),
    ...(mirror.proxy === undefined ? [] : [`Proxy: ${mirror.proxy}`]),
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  for (let port = firstPort; port < firstPort + 100; port += 1) {
    if (!(await answers('127.0.0.1', port))) return port;
  }
  throw new HostwrightError('E_LAB', 'no port is free for the package cache', {
    found: `127.0.0.1:${firstPort} to ${firstPort + 99} are all in use`,
    hint: '`ss -ltnp` shows the processes',
  });
}

/** Whether something accepts connections there. */
export async function answers(address: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host: address, port, timeout: 1000 });
    const end = (result: boolean) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Whether a file of the archive is there, as a host would find it. */
export async function proxyHas(settings: LabSettings, url: string): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const target = {
      host: machineAddress(settings),
      port: portOnBridge,
      path: url,
      method: 'HEAD',
      timeout: 60_000,
    };
    const call = request(target, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('timeout', () => call.destroy(new Error('the package proxy does not answer')));
    call.on('error', reject);
    call.end();
  });
}

export async function proxyReady(settings: LabSettings): Promise<boolean> {
  const running = await Promise.all([cacherRecord(settings), forwarderRecord(settings)].map(findProcess));
  return running.every((found) => found !== undefined);
}

/** Ends the lab's way to the cache, and the cache itself when no lab is left. Call it after the lab is forgotten. */
export async function releaseProxy(settings: LabSettings): Promise<void> {
  await stopProcess(forwarderRecord(settings));
  await withLock(settings, 'proxy', async () => {
    if ((await labNames(settings)).length === 0) await stopProcess(cacherRecord(settings));
  });
}
