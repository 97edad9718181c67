import { fork, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Recording } from './recording.ts';
import type { Order, Report } from './server-process.ts';
import type { HostOptions, SimulatedHost, Visit } from './simulated-host.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Servers {
  /** In the order in which they were asked for. */
  readonly hosts: readonly Omit<SimulatedHost, 'close'>[];
  /** All connections since the last time that it was asked. */
  readonly visits: () => Promise<readonly Visit[]>;
  readonly close: () => Promise<void>;
}

export interface ServersOptions {
  readonly hosts: readonly HostOptions[];
  readonly processes: number;
  readonly authorized: string;
  readonly recording: Recording;
}

async function ask<Kind extends Report['kind']>(
  child: ChildProcess,
  order: Order,
  kind: Kind,
): Promise<Extract<Report, { readonly kind: Kind }>> {
  return new Promise((done, fail) => {
    const ended = (): void => fail(new Error('a process of simulated hosts has ended'));
    child.once('exit', ended);
    child.once('message', (message: Report) => {
      child.off('exit', ended);
      if (isKind(message, kind)) done(message);
      else fail(new Error(`${message.kind} instead of ${kind}`));
    });
    child.send(order);
  });
}

function isKind<Kind extends Report['kind']>(
  report: Report,
  kind: Kind,
): report is Extract<Report, { readonly kind: Kind }> {
  return report.kind === kind;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise((done) => child.once('exit', done));
  child.disconnect();
  await exited;
}

/** SSH servers that answer what was recorded, shared evenly among processes of their own. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { hosts, processes, authorized, recording } = options;
  const children = Array.from({ length: processes }, () =>
    fork(join(import.meta.dirname, 'server-process.ts'), {
      cwd: root,
      execArgv: ['--import', 'jiti/register'],
      env: { ...process.env, NODE_OPTIONS: '' },
    }),
  );
  const started = await Promise.all(
    children.map((child, index) => {
      const own = hosts.filter((_, at) => at % processes === index);
      return ask(child, { kind: 'start', hosts: own, authorized, recording }, 'started');
    }),
  );
  const listening = new Map(started.flatMap((report) => report.hosts).map((host) => [host.name, host]));
  return {
    hosts: hosts.flatMap(({ name }) => listening.get(name) ?? []),
    visits: async () => {
      const reports = await Promise.all(children.map((child) => ask(child, { kind: 'visits' }, 'visits')));
      return reports.flatMap((report) => report.visits);
    },
    close: async () => {
      await Promise.all(children.map(end));
    },
  };
}
