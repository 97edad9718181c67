import uPlot from 'uplot';
import type { Panel } from '../../roles/monitoring_server/panel.ts';
import { button, element } from '../frame/element.ts';
import { text } from './format.ts';
import type { Span } from './answers.ts';
import { newest, type Table } from './table.ts';

const colors = 8;
const height = 170;

/** A canvas knows no variables of CSS, and no colours that depend on light or dark. */
function style(name: string): string {
  const probe = element('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The colour of each row: that of its host where each is of another one. */
function colorsOf({ rows }: Table, hosts: readonly string[]): readonly string[] {
  const own = rows.map(({ host }) => (host === undefined ? -1 : hosts.indexOf(host)));
  const isByHost = !own.includes(-1) && new Set(own).size === own.length;
  return rows.map((_row, index) =>
    style(`--series-${((isByHost ? (own[index] ?? index) : index) % colors) + 1}`),
  );
}

/** The line from where on something is wrong, where the values come near to it. */
function drawThreshold(plot: uPlot, { threshold }: Panel): void {
  const { min, max } = plot.scales['y'] ?? {};
  if (threshold === undefined || max == null || min == null || threshold.at > max || threshold.at < min)
    return;
  const y = Math.round(plot.valToPos(threshold.at, 'y', true));
  const { left, width } = plot.bbox;
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = style(`--${threshold.severity}`);
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(left, y);
  ctx.lineTo(left + width, y);
  ctx.stroke();
  ctx.restore();
}

const twice = (number: number): string => String(number).padStart(2, '0');

/** `14:05`, and the day where the graph is longer than one. */
function timeOfDay(time: number, isLong: boolean): string {
  const date = new Date(time * 1000);
  const day = `${twice(date.getDate())}.${twice(date.getMonth() + 1)}.`;
  if (isLong && date.getHours() === 0 && date.getMinutes() === 0) return day;
  const clock = `${twice(date.getHours())}:${twice(date.getMinutes())}`;
  return isLong ? `${day} ${clock}` : clock;
}

/** From 0 to what there is, and to the threshold where the values come near to it. */
function axisRange({ threshold, top, unit }: Panel, max: number | null): [number, number] {
  if (top !== undefined) return [0, top];
  const largest = Math.max(max ?? 0, 0);
  const isNear = threshold !== undefined && largest >= threshold.at / 2;
  const end = Math.max(largest * 1.1, isNear ? threshold.at * 1.1 : 0);
  const least = { seconds: 0.01, count: 1, requests: 1, queries: 1, bytes: 1000, percent: 1, days: 1 }[unit];
  return [0, Math.max(end, least)];
}

/** A panel of the page: its title, the graph, and the names of its lines with the values below the cursor. */
export class Graph {
  readonly panel: Panel;
  readonly root: HTMLElement;
  readonly #field = element('div', 'field');
  readonly #legend = element('ul', 'legend');
  readonly #note = element('p', 'note');
  #plot: uPlot | undefined;
  #table: Table = { times: [], rows: [] };
  #colors: readonly string[] = [];
  readonly #hosts: readonly string[];
  readonly #onZoom: (from: number, to: number) => void;

  constructor(panel: Panel, hosts: readonly string[], onZoom: (from: number, to: number) => void) {
    this.panel = panel;
    this.#hosts = hosts;
    this.#onZoom = onZoom;
    const means = element('p', 'means', panel.means);
    means.hidden = true;
    const more = button('i', () => {
      means.hidden = !means.hidden;
    });
    more.className = 'more';
    more.title = panel.means;
    more.ariaLabel = 'What this says';
    const title = element('h3', '', panel.title, more);
    this.root = element('section', 'panel', title, means, this.#field, this.#note, this.#legend);
    this.root.id = panel.id;
  }

  /** Draws what there is; `why` says why there is nothing. */
  show(table: Table, span: Span): void {
    const names = (of: Table): string => of.rows.map(({ name }) => name).join('\n');
    const isSame = this.#plot !== undefined && names(this.#table) === names(table);
    this.#table = table;
    this.root.classList.remove('stale');
    this.#note.textContent = table.rows.length === 0 ? `No data. ${this.panel.without}` : '';
    this.root.classList.toggle('empty', table.rows.length === 0);
    if (!isSame) this.#make();
    this.#plot?.setData([[...table.times], ...table.rows.map(({ values }) => [...values])], false);
    this.#plot?.setScale('x', { min: span.from, max: span.to });
    this.#tell();
  }

  /** There is no new answer: the old one stays, marked as such. */
  fail(words: string): void {
    this.root.classList.add('stale');
    if (this.#table.rows.length === 0) this.#note.textContent = `No data: ${words}.`;
  }

  resize(): void {
    const width = this.#field.clientWidth;
    if (width > 0) this.#plot?.setSize({ width, height });
  }

  /** After a change of the colours. */
  redraw(): void {
    this.#make();
    this.#plot?.setData([[...this.#table.times], ...this.#table.rows.map(({ values }) => [...values])]);
    this.#tell();
  }

  #make(): void {
    this.#plot?.destroy();
    this.#colors = colorsOf(this.#table, this.#hosts);
    const color = (index: number): string => this.#colors[index] ?? '';
    const { unit } = this.panel;
    const axis = {
      stroke: style('--quiet'),
      grid: { stroke: style('--grid'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
    const options: uPlot.Options = {
      width: Math.max(this.#field.clientWidth, 200),
      height,
      padding: [12, 8, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: 'page', setSeries: false },
        drag: { x: true, y: false, setScale: false },
        points: { size: 6 },
      },
      scales: { x: { time: true }, y: { range: (_plot, _min, max) => axisRange(this.panel, max) } },
      axes: [
        {
          ...axis,
          space: 80,
          size: 24,
          values: (plot, ticks) => {
            const { min, max } = plot.scales['x'] ?? {};
            const isLong = (max ?? 0) - (min ?? 0) > 86_400;
            return ticks.map((tick) => timeOfDay(tick, isLong));
          },
        },
        {
          ...axis,
          size: 58,
          space: 34,
          gap: 4,
          values: (_plot, ticks) => ticks.map((tick) => text(tick, unit)),
        },
      ],
      series: [
        {},
        ...this.#table.rows.map(({ name }, index) => ({
          label: name,
          stroke: color(index),
          width: 1.5,
          points: { show: false },
          ...(this.#table.rows.length === 1
            ? { fill: color(index).replace(/^rgb\((.*)\)$/, 'rgba($1, 0.12)') }
            : {}),
        })),
      ],
      hooks: {
        draw: [(plot) => drawThreshold(plot, this.panel)],
        setCursor: [() => this.#tell()],
        setSelect: [
          (plot) => {
            if (plot.select.width < 8) return;
            const from = plot.posToVal(plot.select.left, 'x');
            const to = plot.posToVal(plot.select.left + plot.select.width, 'x');
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            this.#onZoom(from, to);
          },
        ],
      },
    };
    this.#plot = new uPlot(options, [[], ...this.#table.rows.map(() => [])], this.#field);
  }

  /** The names with their values, below the cursor or the newest. */
  #tell(): void {
    const at = this.#plot?.cursor.idx;
    const lines = this.#table.rows.map(({ name, values }, index) => {
      const value = at == null ? newest(values) : values[at];
      const mark = element('i');
      mark.style.background = this.#colors[index] ?? '';
      const told = value == null ? '–' : text(value, this.panel.unit);
      return element('li', '', mark, element('span', 'name', name), element('b', '', told));
    });
    this.#legend.replaceChildren(...lines);
  }
}
