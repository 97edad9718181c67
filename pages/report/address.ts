import type { PageChange } from '../../src/report/html/page-types.ts';

export type Outcome = PageChange['outcome'];

/** What is shown, as it stands behind the `#` of the address. */
export interface Filter {
  readonly words: string;
  readonly outcomes: readonly Outcome[];
}

export const everything: Filter = { words: '', outcomes: [] };

const all: readonly Outcome[] = ['failed', 'skipped', 'changed', 'planned'];

export function filterOf(hash: string): Filter {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const only = (given.get('only') ?? '').split(',');
  return { words: given.get('q') ?? '', outcomes: all.filter((outcome) => only.includes(outcome)) };
}

export function addressOf({ words, outcomes }: Filter): string {
  const parts = new URLSearchParams();
  if (words !== '') parts.set('q', words);
  if (outcomes.length > 0) parts.set('only', outcomes.join(','));
  return `#${parts.toString()}`;
}

/** The address of one change on one host: it can be sent to others. */
export function permalink(host: string, resource: string): string {
  return `#r-${encodeURIComponent(host)}-${encodeURIComponent(resource)}`;
}

export function isPermalink(hash: string): boolean {
  return hash.startsWith('#r-');
}
