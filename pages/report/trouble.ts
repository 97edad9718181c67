import type { PageData } from '../../src/report/html/page-types.ts';
import { element } from '../frame/element.ts';
import { title, visible } from './format.ts';

type Trouble = PageData['errors'][number];

/** Errors that are drawn. */
const most = 200;

function placeOf({ place }: Trouble): string | undefined {
  if (place === undefined) return undefined;
  if ('host' in place) return place.resource;
  return [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
}

function card(errors: readonly Trouble[]): HTMLElement {
  const [first] = errors;
  if (first === undefined) return element('div');
  const hosts = errors.flatMap(({ host }) => host ?? []);
  const lines = [
    ['at', placeOf(first)],
    ['found', first.found],
    ['expected', first.expected],
    ['hint', first.hint],
  ] as const;
  const shown = hosts.slice(0, 10).map(visible).join(' ');
  const who = hosts.length > 10 ? `${shown} +${hosts.length - 10}` : shown;
  return element(
    'div',
    'error',
    element(
      'p',
      'message',
      element('span', 'mark failed', '✗'),
      visible(first.message),
      element('span', 'code', first.code),
    ),
    who === '' ? undefined : element('p', 'who', who),
    ...lines.map(([name, text]) =>
      text === undefined
        ? undefined
        : element('div', 'line', element('b', '', name), element('pre', '', visible(text))),
    ),
  );
}

/** What went wrong beside changes, and what is to be known; the same of many hosts once. */
export function troubles({ errors, notes }: PageData): HTMLElement | undefined {
  if (errors.length + notes.length === 0) return undefined;
  const same = new Map<string, Trouble[]>();
  for (const error of errors) {
    const { code, message, found, hint } = error;
    const key = JSON.stringify([
      code,
      error.host === undefined ? message : message.replaceAll(error.host, ''),
      found,
      hint,
    ]);
    same.set(key, [...(same.get(key) ?? []), error]);
  }
  const cards = [...same.values()].slice(0, most).map(card);
  const texts = notes
    .slice(0, most)
    .map((note) =>
      element(
        'p',
        'remark',
        element('b', '', visible(note.host)),
        ' ',
        note.type === 'remark' ? `${title(note.resource)}: ` : '',
        visible(note.text),
      ),
    );
  return element('section', 'troubles', ...cards, ...texts);
}
