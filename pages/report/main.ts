import type { PageData, PageGroup } from '../../src/report/html/page-types.ts';
import { button, element } from '../frame/element.ts';
import {
  addressOf,
  everything,
  filterOf,
  isPermalink,
  permalink,
  type Filter,
  type Outcome,
} from './address.ts';
import { head } from './head.ts';
import { row } from './rows.ts';
import { createSearch } from './search.ts';
import { timeline } from './timeline.ts';
import { troubles } from './trouble.ts';

/** Rows that are drawn: more of them nobody reads, and a browser takes seconds for them. */
const mostRows = 1000;
/** Failures that are open from the start. */
const openAtFirst = 5;

// The script and the data are of one version, and stand in one file.
function isData(value: unknown): value is PageData {
  return typeof value === 'object' && value !== null && 'groups' in value;
}

function readData(): PageData {
  const read: unknown = JSON.parse(document.querySelector('#data')?.textContent ?? '');
  if (!isData(read)) throw new TypeError('a page without its data');
  return read;
}

const data = readData();
const search = createSearch(data);
const failures = element('div', 'rows');
const list = element('div', 'rows');
const counted = element('span', 'counted');
const input = element('input');
const chips = new Map<Outcome, HTMLButtonElement>();
const failed = element('section', 'failures', element('h2', '', 'What failed'), failures);
let filter: Filter = everything;

function draw(): void {
  const found = search(filter);
  const shown = found.slice(0, mostRows);
  const rowsOf = (isFailed: boolean): readonly HTMLElement[] =>
    shown.filter(({ change }) => (change.outcome === 'failed') === isFailed).map((group) => row(data, group));
  failures.replaceChildren(...rowsOf(true));
  list.replaceChildren(...rowsOf(false));
  failed.hidden = failures.childElementCount === 0;
  if (found.length === 0)
    list.append(
      element('p', 'quiet', data.groups.length === 0 ? 'Nothing was to be changed.' : 'Nothing matches.'),
    );
  if (found.length > shown.length)
    list.append(
      element(
        'p',
        'quiet',
        `${(found.length - shown.length).toLocaleString('en')} more: filter to see them.`,
      ),
    );
  const all = data.groups.length.toLocaleString('en');
  counted.textContent =
    found.length === data.groups.length ? all : `${found.length.toLocaleString('en')} of ${all}`;
  for (const [outcome, chip] of chips)
    chip.setAttribute('aria-pressed', String(filter.outcomes.includes(outcome)));
  if (input.value !== filter.words) input.value = filter.words;
}

function show(next: Filter, isTyped = false): void {
  filter = next;
  const address = addressOf(filter);
  if (isTyped) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  draw();
}

function chip(outcome: Outcome, number: number): HTMLElement {
  const made = button(`${number.toLocaleString('en')} ${outcome}`, () => {
    const isOn = filter.outcomes.includes(outcome);
    const outcomes = isOn ? filter.outcomes.filter((one) => one !== outcome) : [...filter.outcomes, outcome];
    show({ ...filter, outcomes });
  });
  made.className = `chip ${outcome}`;
  chips.set(outcome, made);
  return made;
}

function tools(): HTMLElement {
  input.type = 'search';
  input.placeholder = 'Filter: a resource, role or host, host:NAME  ( / )';
  input.setAttribute('aria-label', 'Filter');
  input.addEventListener('input', () => show({ ...filter, words: input.value }, true));
  const numbers = new Map<Outcome, number>();
  for (const { change } of data.groups) numbers.set(change.outcome, (numbers.get(change.outcome) ?? 0) + 1);
  return element('div', 'tools', input, ...[...numbers].map(([outcome, number]) => chip(outcome, number)));
}

/** Where the address names a change on a host: that one, open and in view. */
function findLinked(hash: string): PageGroup | undefined {
  for (const group of data.groups) {
    for (const index of group.hosts) {
      if (permalink(data.hosts[index]?.name ?? '', group.change.resource) === hash) return group;
    }
  }
  return undefined;
}

function followAddress(): void {
  if (!isPermalink(location.hash)) {
    filter = filterOf(location.hash);
    draw();
    return;
  }
  const linked = findLinked(location.hash);
  if (linked === undefined) return;
  const fold = row(data, linked);
  if (!fold.isConnected) {
    filter = everything;
    draw();
    if (!fold.isConnected) list.prepend(fold);
  }
  fold.open = true;
  for (const other of document.querySelectorAll('.linked')) other.classList.remove('linked');
  fold.classList.add('linked');
  fold.scrollIntoView({ block: 'center' });
  fold.querySelector('summary')?.focus({ preventScroll: true });
}

function step(by: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>('.rows > details > summary')];
  const at = all.findIndex(
    (one) => one === document.activeElement || one.parentElement?.contains(document.activeElement),
  );
  const next = all[at === -1 ? (by === 1 ? 0 : all.length - 1) : at + by];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target === input;
  if (event.key === 'Escape' && isTyping) {
    show({ ...filter, words: '' }, true);
    input.blur();
  } else if (!isTyping && event.key === '/') {
    event.preventDefault();
    input.focus();
    input.select();
  } else if (!isTyping && (event.key === 'j' || event.key === 'k')) step(event.key === 'j' ? 1 : -1);
});
addEventListener('hashchange', followAddress);
addEventListener('popstate', followAddress);

const onHost = (name: string): void => {
  show({ words: `host:${name}`, outcomes: [] });
  list.scrollIntoView();
};
const heading = element('h2', '', data.command === 'apply' ? 'Changes ' : 'Planned changes ', counted);
const keys = element('p', 'keys', 'Keys: / filter, j and k next and previous, Enter unfolds');
const sections = [head(data), troubles(data), failed, timeline(data, onHost)].filter(
  (one) => one !== undefined,
);
document.body.append(
  element('main', '', ...sections, element('section', 'changes', heading, tools(), list, keys)),
);
draw();
for (const fold of [...failures.querySelectorAll<HTMLDetailsElement>('details')].slice(0, openAtFirst))
  fold.open = true;
followAddress();
