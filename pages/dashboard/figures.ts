import type { Figure, Threshold } from '../../roles/monitoring_server/panel.ts';
import { element } from '../frame/element.ts';
import { show, text } from './format.ts';

type Verdict = 'good' | 'warning' | 'critical';

/** The alert of a threshold of 1 target down begins with the first one: `above` is then `at or above`. */
function isBad({ at, bad }: Threshold, value: number, isWhole: boolean): boolean {
  if (bad === 'below') return value < at;
  return isWhole ? value >= at : value > at;
}

export function verdict({ threshold, unit }: Figure, value: number, of: number | undefined): Verdict {
  if (threshold !== undefined && isBad(threshold, value, unit === 'count')) return threshold.severity;
  return of !== undefined && value < of ? 'warning' : 'good';
}

function limit(threshold: Threshold, { unit }: Figure): string {
  const at = text(threshold.at, unit);
  if (threshold.bad === 'below') return `bad below ${at}`;
  return unit === 'count' ? `bad from ${at} on` : `bad above ${at}`;
}

/** One of the numbers on top. It leads to its graph. */
export class Tile {
  readonly figure: Figure;
  readonly root: HTMLAnchorElement;
  readonly #value = element('strong', '', '…');
  readonly #unit = element('span', 'unit');
  readonly #below = element('span', 'below');

  constructor(figure: Figure) {
    this.figure = figure;
    const number = element('span', 'value', this.#value, this.#unit);
    this.root = element('a', 'figure', element('span', 'title', figure.title), number, this.#below);
    this.root.href = `#${figure.panel}`;
    this.root.title = figure.means;
    this.root.addEventListener('click', (event) => {
      event.preventDefault();
      document.querySelector(`#${figure.panel}`)?.scrollIntoView({ behavior: 'smooth', block: 'center' });
    });
  }

  show(value: number | undefined, of: number | undefined): void {
    const { figure } = this;
    this.root.classList.remove('good', 'warning', 'critical', 'empty', 'stale');
    if (value === undefined) {
      this.root.classList.add('empty');
      this.#value.textContent = 'no data';
      this.#unit.textContent = '';
      this.#below.textContent = figure.without;
      return;
    }
    const shown = show(value, figure.unit);
    const found = verdict(figure, value, of);
    this.root.classList.add(found);
    this.#value.textContent = shown.number;
    this.#unit.textContent = of === undefined ? shown.unit : `of ${of}`;
    this.#below.textContent = figure.threshold === undefined ? '' : limit(figure.threshold, figure);
  }

  /** There is no new answer: the old one stays, marked as such. */
  fail(): void {
    this.root.classList.add('stale');
  }
}
