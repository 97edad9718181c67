import type { PageData, PageGroup } from '../../src/report/html/page-types.ts';
import { button, element } from '../frame/element.ts';
import { permalink } from './address.ts';
import { count, duration, outcomeText, title, visible } from './format.ts';

/** Hosts that are drawn at first. */
const firstHosts = 12;
/** Hosts that are drawn after a click. */
const moreHosts = 200;
const width = 1000;

interface Step {
  readonly at: number;
  readonly ms: number;
  readonly groups: PageGroup[];
  isBad: boolean;
}

/** The steps of each host, by their numbers. */
function stepsOf({ hosts, groups }: PageData): readonly ReadonlyMap<number, Step>[] {
  const all = hosts.map(() => new Map<number, Step>());
  for (const group of groups) {
    for (const [index, host] of group.hosts.entries()) {
      const [at = -1, ms = 0, number = -1] = [group.at[index], group.ms[index], group.steps[index]];
      if (at < 0) continue;
      const steps = all[host];
      const step = steps?.get(number) ?? { at, ms, groups: [], isBad: false };
      step.groups.push(group);
      step.isBad ||= group.change.outcome === 'failed';
      steps?.set(number, step);
    }
  }
  return all;
}

function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

interface Scale {
  readonly from: number;
  readonly to: number;
}

function bar(name: string, { at, ms, groups, isBad }: Step, { from, to }: Scale): SVGElement {
  const x = ((at - from) / (to - from)) * width;
  const long = Math.max((ms / (to - from)) * width, 2);
  const told = groups.slice(0, 8).map(({ change }) => `${title(change.resource)} ${outcomeText(change)}`);
  if (groups.length > told.length) told.push(`and ${groups.length - told.length} more`);
  const rect = svg('rect', {
    x: x.toFixed(1),
    y: 2,
    width: Math.min(long, width - x).toFixed(1),
    height: 16,
    rx: 2,
  });
  const link = svg(
    'a',
    {
      href: permalink(
        name,
        (groups.find(({ change }) => change.outcome === 'failed') ?? groups[0])?.change.resource ?? '',
      ),
      class: isBad ? 'bad' : 'well',
    },
    svg('title', {}, `${duration(ms)} at ${duration(at)}\n${told.join('\n')}`),
    rect,
  );
  return link;
}

/** Round numbers of seconds, four to eight of them. */
function ticks({ from, to }: Scale): readonly number[] {
  const sizes = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200].map(
    (seconds) => seconds * 1000,
  );
  const size = sizes.find((one) => (to - from) / one <= 7) ?? 14_400_000;
  return Array.from({ length: Math.floor((to - from) / size) + 1 }, (_, index) => index * size);
}

function axis(scale: Scale): HTMLElement {
  const drawn = svg('svg', { class: 'axis', height: 16, width: '100%', 'aria-hidden': 'true' });
  for (const at of ticks(scale)) {
    const share = (at / (scale.to - scale.from)) * 100;
    if (share > 97) continue;
    drawn.append(svg('text', { x: `${share}%`, y: 12 }, at < 60_000 ? `${at / 1000} s` : duration(at)));
  }
  return element('div', 'lane head', element('span', 'name'), element('span', 'tally'), wrap(drawn));
}

function wrap(drawn: SVGElement): HTMLElement {
  const made = element('span', 'track');
  made.append(drawn);
  return made;
}

function tally(host: PageData['hosts'][number], command: PageData['command']): HTMLElement {
  if (host.unreachable) return element('span', 'tally failed', 'unreachable');
  if (command !== 'apply')
    return element('span', 'tally', host.changes === 0 ? 'no changes' : count(host.changes, 'change'));
  const parts = [
    host.failed > 0 ? element('b', 'failed', `${host.failed} failed`) : undefined,
    host.changed > 0 ? element('span', '', `${host.changed} changed`) : undefined,
    host.skipped > 0 ? element('span', 'skipped', `${host.skipped} skipped`) : undefined,
  ].filter((part) => part !== undefined);
  return element(
    'span',
    'tally',
    ...(parts.length === 0
      ? ['no changes']
      : parts.flatMap((part, index) => (index === 0 ? [part] : [', ', part]))),
  );
}

/** Each host with what it came to, and its steps on one axis of time; those that failed first. */
export function timeline(data: PageData, onHost: (name: string) => void): HTMLElement {
  const steps = stepsOf(data);
  let scale: Scale = { from: Infinity, to: 0 };
  for (const host of steps)
    for (const { at, ms } of host.values())
      scale = { from: Math.min(scale.from, at), to: Math.max(scale.to, at + ms) };
  const hasTimes = scale.to > scale.from;
  const weight = (index: number): number => {
    const host = data.hosts[index];
    if (host === undefined) return 0;
    return (
      (host.unreachable ? 4e9 : 0) + host.failed * 1e6 + host.skipped * 1e3 + Math.min(host.changes, 999)
    );
  };
  const order = data.hosts.map((_, index) => index).toSorted((one, other) => weight(other) - weight(one));
  const lane = (index: number): HTMLElement => {
    const host = data.hosts[index];
    if (host === undefined) return element('div');
    const name = button(visible(host.name), () => onHost(host.name));
    name.className = 'name';
    name.title = 'Show what was done on this host';
    const drawn = svg('svg', {
      viewBox: `0 0 ${width} 20`,
      preserveAspectRatio: 'none',
      width: '100%',
      height: 20,
    });
    for (const step of steps[index]?.values() ?? []) drawn.append(bar(host.name, step, scale));
    const isBad = host.failed > 0 || host.unreachable;
    return element(
      'div',
      `lane${isBad ? ' failed' : ''}`,
      name,
      tally(host, data.command),
      hasTimes ? wrap(drawn) : undefined,
    );
  };
  const lanes = element('div', 'lanes');
  const draw = (most: number): void => {
    const shown = order.slice(0, most);
    const left = order.length - shown.length;
    const more =
      most < moreHosts && left > 0
        ? button(`${left.toLocaleString('en')} more hosts`, () => draw(moreHosts))
        : undefined;
    const rest =
      most >= moreHosts && left > 0
        ? element('p', 'quiet', `and ${left.toLocaleString('en')} more hosts`)
        : undefined;
    lanes.replaceChildren(
      ...(hasTimes ? [axis(scale)] : []),
      ...shown.map(lane),
      ...[more, rest].filter((one) => one !== undefined),
    );
  };
  draw(order.length <= firstHosts + 3 ? firstHosts + 3 : firstHosts);
  return element('section', hasTimes ? 'timeline' : 'timeline plain', element('h2', '', 'Hosts'), lanes);
}
