import { table } from '../page.ts';
import { median } from '../process.ts';
import type { Usage } from './measure.ts';

/** One number of hosts; a figure for each round. */
export interface ScaleFigures {
  readonly hosts: number;
  readonly handshakes: readonly { readonly seconds: number; readonly cpu: number }[];
  readonly plan: readonly Usage[];
  /** The same with several workers. */
  readonly shared: readonly Usage[];
  readonly apply: readonly Usage[];
  /** Connections at the same time, the most of all rounds. */
  readonly mostAtOnce: number;
  /** Milliseconds that a host's connection stood in the last round: half of them less, all of them less. */
  readonly connected: { readonly median: number; readonly longest: number };
  /** Milliseconds without the end of any host, the longest of the last round. */
  readonly pause: number;
}

/** A plan with two silent hosts among the others; seconds from its begin. */
export interface Silent {
  readonly hosts: number;
  readonly lastOther: number;
  readonly deaf: number;
  readonly mute: number;
  readonly whole: number;
}

export interface ScalePage {
  readonly command: string;
  readonly date: Date;
  readonly machine: string;
  readonly forks: number;
  readonly resources: number;
  readonly rounds: number;
  readonly figures: readonly ScaleFigures[];
  readonly silent: Silent;
}

const seconds = (figures: readonly { readonly seconds: number }[]): number =>
  median(figures.map((one) => one.seconds));
const cpu = (figures: readonly { readonly cpu: number }[]): number => median(figures.map((one) => one.cpu));
const memory = (figures: readonly Usage[]): number => median(figures.map((one) => one.memory));
const show = (figure: number, unit: string): string => `${figure.toPrecision(3)} ${unit}`;

function timeTable(figures: readonly ScaleFigures[]): string {
  const head = ['hosts', 'handshakes alone', 'plan', 'times', 'processor: handshakes', 'plan'];
  return table(
    head,
    figures.map(({ hosts, handshakes, plan }) => [
      String(hosts),
      show(seconds(handshakes), 's'),
      show(seconds(plan), 's'),
      `${(seconds(plan) / seconds(handshakes)).toPrecision(2)} ×`,
      show(cpu(handshakes), 's'),
      show(cpu(plan), 's'),
    ]),
  );
}

function workersTable(figures: readonly ScaleFigures[]): string {
  const most = ({ workers }: Usage): number => Math.max(...workers.map((worker) => worker.cpu));
  const head = ['hosts', 'one process', '2 workers: in all', 'the busier worker', 'the run itself', 'memory'];
  return table(
    head,
    figures.map(({ hosts, plan, shared }) => [
      String(hosts),
      show(cpu(plan), 's'),
      show(cpu(shared), 's'),
      show(median(shared.map(most)), 's'),
      show(median(shared.map(({ coordinator }) => coordinator.cpu)), 's'),
      show(memory(shared), 'MiB'),
    ]),
  );
}

function memoryTable(figures: readonly ScaleFigures[]): string {
  const [base] = figures;
  const perHost = (own: (of: ScaleFigures) => readonly Usage[], of: ScaleFigures): string => {
    if (base === undefined || of === base) return '–';
    return show((memory(own(of)) - memory(own(base))) / (of.hosts - base.hosts), 'MiB');
  };
  return table(
    ['hosts', 'plan', 'a host more', 'apply', 'a host more'],
    figures.map((of) => [
      String(of.hosts),
      show(memory(of.plan), 'MiB'),
      perHost(({ plan }) => plan, of),
      show(memory(of.apply), 'MiB'),
      perHost(({ apply }) => apply, of),
    ]),
  );
}

function fairnessTable(figures: readonly ScaleFigures[]): string {
  return table(
    ['hosts', 'at the same time', 'connected: median', 'longest', 'longest pause'],
    figures.map(({ hosts, mostAtOnce, connected, pause }) => [
      String(hosts),
      String(mostAtOnce),
      `${Math.round(connected.median)} ms`,
      `${Math.round(connected.longest)} ms`,
      `${Math.round(pause)} ms`,
    ]),
  );
}

/** The part of docs/benchmarks.md that a run writes. */
export function scaleText(page: ScalePage): string {
  const { command, date, machine, forks, resources, rounds, figures, silent } = page;
  return `Made by \`${command}\` on ${date.toISOString().slice(0, 10)}; ${machine}. Medians of ${rounds} rounds, ${resources} resources a host, \`--forks ${forks}\`, nothing to change.

${timeTable(figures)}

With \`--workers 2\`, seconds of processor. The simulated hosts use the same two processors, so a clock cannot show here what a second worker saves: with processors of its own a run is done when the busier worker is.

${workersTable(figures)}

Peak memory of the controller. \`plan\` lets go of a host when its plan is made; \`apply\` keeps all connections and locks to its end.

${memoryTable(figures)}

The simulated hosts count the connections that stand at the same time, each until its remote shell has ended. How long one stands says whether hosts wait for each other once they are connected; the longest pause is the longest time in which no host came to its end.

${fairnessTable(figures)}

A plan of ${silent.hosts} hosts and of two that stand first and are silent, one from the beginning and one after the login: the last of the others was done after ${show(silent.lastOther, 's')}, the two were given up after ${show(silent.deaf, 's')} and ${show(silent.mute, 's')}, and the whole plan took ${show(silent.whole, 's')}.
`;
}
