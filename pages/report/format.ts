import type { PageChange } from '../../src/report/html/page-types.ts';
import { element } from '../frame/element.ts';

/** Control characters and those that hide or turn the direction of writing, as visible escapes. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    if (character === '\n' || character === '\t' || character === '\u200d') return character;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** `0.8 s`, `42 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** `file /etc/hosts`. */
export function title(resource: string): string {
  return visible(resource.replace(':', ' '));
}

const done = {
  create: 'created',
  update: 'updated',
  delete: 'removed',
  run: 'run',
  reload: 'reloaded',
  restart: 'restarted',
} as const;

export function outcomeText({ action, outcome }: Pick<PageChange, 'action' | 'outcome'>): string {
  if (outcome === 'planned') return action;
  if (outcome === 'changed') return done[action];
  return outcome === 'skipped' ? `${action} skipped` : action === 'run' ? 'failed' : `not ${done[action]}`;
}

export const marks = { failed: '✗', skipped: '○', changed: '✓', planned: '•' } as const;

export function mark(outcome: PageChange['outcome']): HTMLElement {
  return element('span', `mark ${outcome}`, marks[outcome]);
}

/** One word of a shell, whatever is in it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
