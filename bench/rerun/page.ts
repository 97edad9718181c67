import { names } from '../hosts.ts';
import { table } from '../page.ts';
import { median } from '../process.ts';

/** One run: seconds by the clock, of processor on the controller, and of processor on each host. */
export interface Cost {
  readonly seconds: number;
  readonly cpu: number;
  readonly hosts: readonly number[];
}

export interface RerunFigures {
  readonly command: string;
  readonly date: Date;
  readonly machine: string;
  /** Of each host. */
  readonly resources: readonly number[];
  readonly floor: readonly Cost[];
  readonly plan: readonly Cost[];
  /** Seconds of processor that each host uses in a second by itself; one entry a round. */
  readonly idle: readonly (readonly number[])[];
}

const measures: readonly { readonly what: string; readonly of: (cost: Cost) => number }[] = [
  { what: 'clock', of: ({ seconds }) => seconds },
  { what: 'processor of the controller', of: ({ cpu }) => cpu },
  ...names.map((name, index) => ({
    what: `processor of ${name}`,
    of: ({ hosts }: Cost) => hosts[index] ?? NaN,
  })),
];

const show = (figure: number): string => `${figure.toPrecision(3)} s`;

/** The part of docs/benchmarks.md that a run writes. */
export function rerunText({ command, date, machine, resources, floor, plan, idle }: RerunFigures): string {
  const sum = resources.reduce((total, count) => total + count, 0);
  const idleText = names.map((name, index) => {
    const figures = idle.map((round) => round[index] ?? NaN);
    return `${(median(figures) * 1000).toFixed(0)} ms on ${name}`;
  });
  return `Made by \`${command}\` on ${date.toISOString().slice(0, 10)}; ${machine}. Medians of ${plan.length} runs, ${sum} resources (${resources.join(', ')}), nothing to change. What the services of a host use by themselves is taken off: ${idleText.join(', ')} a second.

${table(
  ['', 'three ssh', 'plan', 'times'],
  measures.map(({ what, of }) => {
    const [least, own] = [median(floor.map(of)), median(plan.map(of))];
    return [what, show(least), show(own), `${(own / least).toPrecision(2)} ×`];
  }),
)}
`;
}
