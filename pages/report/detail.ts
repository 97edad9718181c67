import type { PageData, PageGroup } from '../../src/report/html/page-types.ts';
import { button, element } from '../frame/element.ts';
import { permalink } from './address.ts';
import { duration, title, visible } from './format.ts';

/** Lines of a diff, and hosts, that are drawn. */
const mostLines = 2000;
const mostHosts = 200;

function value(text: string | null): HTMLElement {
  if (text === null) return element('span', 'none', 'none');
  const digest = /^(sha\d+:)?([0-9a-f]{12})[0-9a-f]{20,}$/.exec(text)?.[2];
  return element('code', '', digest ?? (text === '' ? "''" : visible(text)));
}

function attributes({ change }: PageGroup): HTMLElement | undefined {
  const isShown = change.diff !== undefined && change.diff !== '';
  const all = (change.attributes ?? []).filter(({ name }) => !isShown || name !== 'content');
  if (all.length === 0) return undefined;
  const rows = all.map(({ name, from, to }) =>
    element(
      'tr',
      '',
      element('th', '', visible(name)),
      element('td', 'from', change.action === 'create' ? '' : value(from)),
      element('td', 'to', change.action === 'create' ? '' : '→ ', value(to)),
    ),
  );
  return element('table', 'attributes', ...rows);
}

const kinds: Readonly<Record<string, string>> = { '+': 'plus', '-': 'minus', '@': 'hunk' };

function diff({ change }: PageGroup): HTMLElement | undefined {
  if (change.diff === undefined || change.diff === '') return undefined;
  const lines = change.diff.replace(/\n$/, '').split('\n');
  const shown = lines
    .slice(0, mostLines)
    .map((line) => element('span', kinds[line[0] ?? ''] ?? 'same', `${visible(line)}\n`));
  const left = lines.length - shown.length;
  if (left > 0) shown.push(element('span', 'hunk', `… ${left} more lines`));
  return element('pre', 'diff', ...shown);
}

function notes({ change }: PageGroup): readonly HTMLElement[] {
  const { cause, why, knownAfter, takesUp = [], facts = [], drains } = change;
  const texts = [
    cause === 'drift' ? 'The host had left what was last applied.' : '',
    ...facts.map(({ name, from, to }) => `Because ${name} went from ${from ?? 'none'} to ${to ?? 'none'}.`),
    why === undefined ? '' : `Because ${why}.`,
    takesUp.length === 0 ? '' : `Takes up ${takesUp.join(', ')}, which no role declares.`,
    drains === undefined ? '' : `The host is out of service meanwhile.`,
    knownAfter === undefined ? '' : `Known after ${title(knownAfter)}.`,
  ];
  return texts.filter((text) => text !== '').map((text) => element('p', 'note', visible(text)));
}

function hostRow(data: PageData, group: PageGroup, index: number): HTMLElement {
  const name = data.hosts[group.hosts[index] ?? -1]?.name ?? '';
  const [at = -1, ms = -1, step = -1] = [group.at[index], group.ms[index], group.steps[index]];
  const link = element('a', '', visible(name));
  link.href = permalink(name, group.change.resource);
  link.title = 'The address of this change on this host';
  const when = at < 0 ? '' : `step ${step}, at ${duration(at)}`;
  return element(
    'tr',
    '',
    element('th', '', link),
    element('td', '', at < 0 ? '' : duration(ms)),
    element('td', 'quiet', when),
  );
}

function hostTable(data: PageData, group: PageGroup): HTMLElement {
  const body = element('tbody');
  const table = element('table', 'hosts', body);
  const draw = (most: number): void => {
    const rows = group.hosts.slice(0, most).map((_, index) => hostRow(data, group, index));
    const left = group.hosts.length - rows.length;
    const more = element(
      'td',
      '',
      button(`${left} more hosts`, () => draw(Infinity)),
    );
    more.colSpan = 3;
    body.replaceChildren(...rows, ...(left > 0 ? [element('tr', '', more)] : []));
  };
  draw(group.hosts.length > mostHosts ? 20 : mostHosts);
  return table;
}

/** All that is known of a change. */
export function detail(data: PageData, group: PageGroup): HTMLElement {
  const { reason } = group.change;
  const parts = [
    reason === undefined ? undefined : element('pre', 'reason', visible(reason)),
    ...notes(group),
    attributes(group),
    diff(group),
    hostTable(data, group),
  ];
  return element('div', 'detail', ...parts);
}
