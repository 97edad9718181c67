import type { Dashboard } from '../../roles/monitoring_server/panel.ts';
import { askJson, Trouble } from '../frame/ask.ts';
import { button, element, place } from '../frame/element.ts';
import { themeButton } from '../frame/theme.ts';
import { alertList } from './alerts.ts';
import { Tile } from './figures.ts';
import { Graph } from './graph.ts';
import type { Span } from './answers.ts';
import { askAlerts, askNow, askSpan, askSuppressed } from './prometheus.ts';
import { sortAlerts } from './sort-alerts.ts';
import { tableOf } from './table.ts';
import { hashOf, ranges, shownBy, spanOf, type Shown } from './time.ts';

/** Milliseconds after which an answer counts as none. */
const patience = 15_000;

const clock = (time: number): string => new Date(time * 1000).toLocaleTimeString('en-GB');
const now = (): number => Date.now() / 1000;

function limited(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort('slow'), patience);
  return controller.signal;
}

function wordsOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}

function start(dashboard: Dashboard): void {
  let shown: Shown = shownBy(location.hash);
  /** When everything was answered last. */
  let answered = 0;
  let isAway = false;

  const alerts = element('section', 'state');
  alerts.setAttribute('aria-live', 'polite');
  const away = element('p', 'away');
  away.hidden = true;
  const tiles = dashboard.figures.map((figure) => new Tile(figure));
  const zoom = (from: number, to: number): void => choose({ from, to });
  const graphs = dashboard.sections.flatMap(({ panels }) =>
    panels.map((panel) => new Graph(panel, dashboard.hosts, zoom)),
  );
  const sections = dashboard.sections.flatMap(({ title, panels }) => [
    element('h2', '', title),
    element('div', 'graphs', ...graphs.filter(({ panel }) => panels.includes(panel)).map(({ root }) => root)),
  ]);
  const figures = element('section', 'figures', ...tiles.map(({ root }) => root));
  place('main').replaceChildren(away, alerts, figures, ...sections);

  const updated = element('span', 'updated', '…');
  const buttons = ranges
    .filter(({ last }) => last <= dashboard.days * 86_400)
    .map(({ name, last }) => ({ last, root: button(name, () => choose({ last })) }));
  const past = button('', () => choose({ last: 3600 }));
  past.className = 'past';
  const theme = themeButton(() => {
    for (const graph of graphs) graph.redraw();
  });
  const span = element('div', 'ranges', ...buttons.map(({ root }) => root), past);
  place('controls').replaceChildren(element('span', 'site', dashboard.site), span, updated, theme);

  /** Those in sight, which are asked for; the others when somebody scrolls to them. */
  const inSight = new Set<Graph>();
  const due = new Set<Graph>(graphs);
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const graph = graphs.find(({ root }) => root === target);
        if (graph === undefined) continue;
        if (!isIntersecting) inSight.delete(graph);
        else {
          inSight.add(graph);
          if (due.has(graph)) void askGraph(graph);
        }
      }
    },
    { rootMargin: '200px' },
  );
  for (const { root } of graphs) sight.observe(root);

  /** What answers, or does not: said once for the whole page. */
  function tell(error?: unknown): void {
    isAway = error instanceof Trouble && error.kind !== 'refused';
    away.hidden = !isAway;
    if (isAway) {
      const last = answered === 0 ? '' : ` What you see is of ${clock(answered)}.`;
      away.textContent = `No new data: ${wordsOf(error)}.${last} Trying again…`;
      for (const tile of tiles) tile.fail();
      alerts.classList.add('stale');
    } else {
      answered = now();
      alerts.classList.remove('stale');
    }
    updated.textContent = answered === 0 ? '' : `${isAway ? 'last' : 'updated'} ${clock(answered)}`;
  }

  async function askTiles(): Promise<void> {
    await Promise.all(
      tiles.map(async (tile) => {
        const { expr, of } = tile.figure;
        const [value, all] = await Promise.all([
          askNow(expr, limited()),
          of === undefined ? undefined : askNow(of, limited()),
        ]);
        tile.show(value, all);
      }),
    );
  }

  async function askState(): Promise<void> {
    const [found, suppressed] = await Promise.all([
      askAlerts(limited()),
      askSuppressed(limited()).catch((error: unknown) => wordsOf(error)),
    ]);
    const trouble = typeof suppressed === 'string' ? `${suppressed}: nobody is told of alerts now.` : '';
    const sorted = sortAlerts(found, typeof suppressed === 'string' ? [] : suppressed);
    // What somebody has opened stays open.
    const open = [...alerts.querySelectorAll('details')].map((one) => one.open);
    alerts.replaceChildren(alertList(sorted, now(), trouble));
    for (const [index, one] of [...alerts.querySelectorAll('details')].entries())
      one.open = open[index] ?? false;
    const count = sorted.firing.length;
    document.title = `${count > 0 ? `(${count}) ` : ''}${dashboard.site}`;
  }

  async function askGraph(graph: Graph): Promise<void> {
    due.delete(graph);
    const asked: Span = spanOf(shown, dashboard.interval, now());
    const of = shown;
    try {
      const answers = await Promise.all(
        graph.panel.queries.map(({ expr }) => askSpan(expr, asked, limited())),
      );
      if (of === shown) graph.show(tableOf(graph.panel, answers, asked), asked);
    } catch (error) {
      due.add(graph);
      graph.fail(wordsOf(error));
    }
  }

  function drawAll(): void {
    for (const graph of graphs) due.add(graph);
    for (const graph of inSight) void askGraph(graph);
  }

  function choose(next: Shown): void {
    shown = next;
    history.replaceState(undefined, '', hashOf(next));
    mark();
    drawAll();
  }

  function mark(): void {
    for (const { last, root } of buttons) {
      root.setAttribute('aria-pressed', String('last' in shown && shown.last === last));
    }
    past.hidden = 'last' in shown;
    if (!('last' in shown)) past.textContent = `${clock(shown.from)} to ${clock(shown.to)} ✕`;
  }

  let drawn = 0;
  let isAsking = false;
  async function tick(): Promise<void> {
    // A page that nobody looks at asks for nothing.
    if (document.hidden || isAsking) return;
    isAsking = true;
    try {
      await Promise.all([askTiles(), askState()]);
      tell();
    } catch (error) {
      tell(error);
    } finally {
      isAsking = false;
    }
    const { step } = spanOf(shown, dashboard.interval, now());
    if ('last' in shown && !isAway && now() - drawn >= Math.max(step, 2 * dashboard.interval)) {
      drawn = now();
      drawAll();
    }
  }

  mark();
  addEventListener('hashchange', () => choose(shownBy(location.hash)));
  addEventListener('resize', () => {
    for (const graph of graphs) graph.resize();
  });
  document.addEventListener('visibilitychange', () => void tick());
  // Twice as often as there are new values: what is shown is never older than one and a half of them.
  setInterval(() => void tick(), Math.max(1000, (dashboard.interval * 1000) / 2));
  void tick();
}

async function begin(): Promise<void> {
  try {
    start(await askJson<Dashboard>('panels.json', 'the front'));
  } catch (error) {
    place('main').replaceChildren(
      element('p', 'away', `The page cannot be shown: ${wordsOf(error)}. Trying again…`),
    );
    setTimeout(() => void begin(), 3000);
  }
}

void begin();
