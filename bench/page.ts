import type { Figures } from './figures.ts';
import type { BarGroup } from './plot.ts';
import { median } from './process.ts';
import type { Task } from './tools.ts';

const tasks: readonly Task[] = ['no-op', 'one change', 'first run'];

function secondsOf({ samples }: Figures, tool: string, task: Task): readonly number[] {
  return samples.filter((one) => one.tool === tool && one.task === task).map((one) => one.seconds);
}

function show(figures: readonly number[], unit = ' s'): string {
  return figures.length === 0 ? '–' : `${median(figures).toPrecision(3)}${unit}`;
}

function times(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio >= 100 ? Math.round(ratio) : ratio.toPrecision(2)} ×` : '–';
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)].join(
    '\n',
  );
}

function itemsTable(figures: Figures): string {
  const against = (task: Task, tool: string, base: string): string =>
    times(median(secondsOf(figures, tool, task)) / median(secondsOf(figures, base, task)));
  return table(
    ['', ...tasks.flatMap((task) => [task, 'runs', 'of the floor', 'of Hostwright'])],
    figures.tools.map(({ name }) => [
      name,
      ...tasks.flatMap((task) => {
        const own = secondsOf(figures, name, task);
        return [
          show(own),
          String(own.length),
          against(task, name, 'floor'),
          against(task, name, 'Hostwright'),
        ];
      }),
    ]),
  );
}

function scaleTable({ scales, delay }: Figures): string {
  return table(
    ['no-op', 'files', 'direct', `with ${delay} ms`, 'difference', 'in round trips'],
    scales.map(({ tool, resources, direct, delayed }) => {
      const difference = median(delayed) - median(direct);
      const trips = ((difference * 1000) / delay).toFixed(1);
      return [tool, String(resources), show(direct), show(delayed), show([difference]), trips];
    }),
  );
}

/** The part of docs/benchmarks.md that a run writes. */
export function pageText(figures: Figures): string {
  const { command, date, machine, tools, costs } = figures;
  return `Made by \`${command}\` on ${date.toISOString().slice(0, 10)}; ${machine}.

${tools.map(({ name, version }) => `- ${name}: ${version}`).join('\n')}

### 101 items on three hosts

Medians. "of the floor" and "of Hostwright" say how many times as long it takes.

${itemsTable(figures)}

![Seconds of each tool, on a scale by powers of ten](benchmarks.svg)

### Files on three hosts, near and far

${scaleTable(figures)}

### Processor time on the controller

${table(
  ['', 'user + system', 'runs'],
  costs.map(({ what, cpu }) => [what, show(cpu), String(cpu.length)]),
)}
`;
}

export function barGroups(figures: Figures): readonly BarGroup[] {
  return tasks.map((task) => ({
    title: `101 items on three hosts: ${task}`,
    bars: figures.tools.flatMap(({ name }) => {
      const own = secondsOf(figures, name, task);
      return own.length === 0 ? [] : [{ tool: name, seconds: median(own) }];
    }),
  }));
}

/** Puts the text between the markers of the page for the figures of that command. */
export function withFigures(page: string, text: string, command = 'npm run bench'): string {
  const begin = `<!-- figures: ${command} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf('<!-- end of figures -->', from);
  if (from < 0 || to < from)
    throw new Error(`docs/benchmarks.md has no markers for the figures of ${command}`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n${page.slice(to)}`;
}
