import { expect } from 'vitest';
import type { DatabaseProject } from '../lab/database-project.ts';
import { jsonLines, named, type Line, type TestHosts } from '../lab/hosts.ts';

/** What a person does by hand to a member of a group, and what one plan shows of it. */
export interface GroupDamage {
  readonly what: string;
  readonly host: string;
  /** Shell that does it, as root. */
  readonly breaks: string;
  /** `RESOURCE ACTION`, and what follows from it. */
  readonly shown: readonly string[];
  /** Words of the plan by which a person recognizes it. */
  readonly words?: string;
  /** Shell that succeeds while all is well, by other means than those of Hostwright. */
  readonly sound: string;
}

interface Damaged {
  readonly hosts: TestHosts;
  readonly hostwright: DatabaseProject['hostwright'];
}

/** A line of the plan without what is about the run. */
function wordsOf(line: Line): string {
  return JSON.stringify(line['attributes'] ?? '') + JSON.stringify(line['remarks'] ?? '');
}

/** They are done together, seen by one plan that names nothing else, healed by one apply, and then nothing is left. */
export async function seenAndHealed(
  { hosts, hostwright }: Damaged,
  of: readonly GroupDamage[],
): Promise<void> {
  const unsound = async (): Promise<readonly string[]> => {
    const answers = await Promise.all(of.map(({ host, sound }) => hosts.ssh(host, `set -e\n${sound}`)));
    return of.filter((_, index) => answers[index]?.code !== 0).map(({ what }) => what);
  };
  expect(await unsound()).toEqual([]);
  for (const { host, breaks } of of) await hosts.shell(host, `set -e\n${breaks}`);
  expect((await unsound()).toSorted()).toEqual(of.map(({ what }) => what).toSorted());
  const plan = await hostwright('plan', '--json', '--no-diff');
  // Healed before all else is looked at: what comes next needs a site that is whole.
  const apply = await hostwright('apply', '--yes', '--json', '--no-diff');
  expect(plan.code, plan.stdout + plan.stderr).toBe(2);
  const shown = of.flatMap((damage) => damage.shown.map((line) => `${damage.host} ${line}`));
  expect(named(plan, 'change'), plan.stdout).toEqual([...new Set(shown)].toSorted());
  const changes = jsonLines(plan).filter(({ type }) => type === 'change');
  for (const { host, words } of of) {
    if (words === undefined) continue;
    const own = changes.filter((line) => line['host'] === host).map(wordsOf);
    expect(own.join('\n')).toContain(words);
  }
  expect(apply.code, apply.stdout + apply.stderr).toBe(0);
  await expect.poll(unsound, { timeout: 60_000, interval: 1000 }).toEqual([]);
  const again = await hostwright('plan', '--json', '--no-diff');
  expect(again.code, again.stdout).toBe(0);
}
