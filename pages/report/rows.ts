import type { PageData, PageGroup } from '../../src/report/html/page-types.ts';
import { element } from '../frame/element.ts';
import { detail } from './detail.ts';
import { duration, mark, outcomeText, title, visible } from './format.ts';

const named = 3;

function hostNames(data: PageData, { hosts }: PageGroup): HTMLElement {
  const names = hosts.slice(0, named).map((index) => visible(data.hosts[index]?.name ?? ''));
  const left = hosts.length - names.length;
  const text = left === 0 ? names.join(' ') : `${names.join(' ')} +${left.toLocaleString('en')}`;
  return element('span', 'who', text);
}

function longest({ ms }: PageGroup): string {
  const most = ms.reduce((one, other) => Math.max(one, other), -1);
  return most < 100 ? '' : duration(most);
}

const folds = new WeakMap<PageGroup, HTMLDetailsElement>();

/** A change as one line that unfolds; made once, so that it stays open while the page is filtered. */
export function row(data: PageData, group: PageGroup): HTMLDetailsElement {
  const known = folds.get(group);
  if (known !== undefined) return known;
  const { change } = group;
  const summary = element(
    'summary',
    '',
    mark(change.outcome),
    element('span', 'what', title(change.resource)),
    element('span', 'verb', outcomeText(change)),
    element('span', 'role', visible(change.role)),
    hostNames(data, group),
    element('span', 'time', longest(group)),
  );
  const made = element('details', `row ${change.outcome}`, summary);
  made.addEventListener('toggle', () => {
    if (made.open && made.childElementCount === 1) made.append(detail(data, group));
  });
  folds.set(group, made);
  return made;
}
