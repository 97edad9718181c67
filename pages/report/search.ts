import type { PageData, PageGroup } from '../../src/report/html/page-types.ts';
import type { Filter } from './address.ts';

/** Finds groups by words; all that is searched is made ready once. */
export function createSearch({ hosts, groups }: PageData): (filter: Filter) => readonly PageGroup[] {
  const names = hosts.map(({ name }) => name.toLowerCase());
  let texts: readonly string[] | undefined;
  const textOf = ({ change }: PageGroup): string =>
    `${change.resource}\n${change.resource.replace(':', ' ')}\n${change.role}\n${change.action}\n${change.reason ?? ''}`.toLowerCase();

  return ({ words, outcomes }) => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length === 0 && outcomes.length === 0) return groups;
    texts ??= groups.map(textOf);
    const known = texts;
    const tests = wanted.map((word) => {
      const host = word.startsWith('host:') ? word.slice(5) : undefined;
      const found = new Set(
        names.flatMap((name, index) =>
          (host === undefined ? name.includes(word) : name === host) ? [index] : [],
        ),
      );
      return (group: PageGroup, text: string): boolean =>
        (host === undefined && text.includes(word)) ||
        (found.size > 0 && group.hosts.some((one) => found.has(one)));
    });
    return groups.filter((group, index) => {
      if (outcomes.length > 0 && !outcomes.includes(group.change.outcome)) return false;
      const text = known[index] ?? '';
      return tests.every((test) => test(group, text));
    });
  };
}
