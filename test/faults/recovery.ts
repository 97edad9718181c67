import { expect } from 'vitest';
import { jsonLines, type Finished, type Line, type TestHosts } from '../lab/hosts.ts';

/** Hosts and the site that is applied to them. */
export interface FaultSite {
  readonly hosts: TestHosts;
  readonly names: readonly string[];
  /** Words that every run has: the inventory and the state that is wanted now. */
  readonly words: () => readonly string[];
}

export async function apply(site: FaultSite, ...words: readonly string[]): Promise<Finished> {
  return await site.hosts.hostwright('apply', '--yes', '--json', '--no-diff', ...site.words(), ...words);
}

export function linesOf(finished: Finished, type: string): readonly Line[] {
  return jsonLines(finished).filter((line) => line.type === type);
}

interface Summary {
  readonly ok: boolean;
  readonly hosts: Readonly<Record<string, { readonly roundTrips: number; readonly unreachable: boolean }>>;
}

/** The last line of a run. */
export function jsonSummary(finished: Finished): Summary {
  const last = jsonLines(finished).at(-1);
  if (last?.type !== 'summary') throw new Error(`no summary:\n${finished.stdout}\n${finished.stderr}`);
  return last as Line & Summary;
}

/** What a run leaves on a host beside what it was to do, a line each; nothing of it may stay. */
const leftovers = `ls -A /run/hostwright | grep -v -x -e loaded -e lock
ls -d /usr/sbin/policy-rc.d 2>/dev/null
find / -xdev -name '.hostwright.*'
dpkg --audit
systemctl --failed --plain --no-legend
true`;

/**
 * Waits until what was under way on the hosts has come to its end there: the lock is free, and the sessions
 * have cleaned up.
 */
export async function untilQuiet(site: FaultSite, seconds = 300): Promise<void> {
  for (const host of site.names) {
    const script = `[ ! -e /run/hostwright/lock ] || flock -w ${seconds} /run/hostwright/lock true`;
    const freed = await site.hosts.ssh(host, script);
    expect(freed.code, `${host}: the lock is not free after ${seconds} s ${freed.stderr}`).toBe(0);
    const sessions = 'ls -d /run/hostwright/session.* /run/hostwright/new.* 2>/dev/null; true';
    await expect
      .poll(async () => (await site.hosts.ssh(host, sessions)).stdout, { timeout: 15_000, interval: 300 })
      .toBe('');
  }
}

/** One more `apply` brings all hosts into the declared state, after which there is nothing to do or to clear. */
export async function expectRecovery(site: FaultSite): Promise<void> {
  await untilQuiet(site);
  const healed = await apply(site);
  expect(healed.code, `${healed.stdout}\n${healed.stderr}`).toBe(0);
  const plan = await site.hosts.hostwright('plan', '--json', ...site.words());
  expect(linesOf(plan, 'change'), plan.stdout).toEqual([]);
  expect(plan.code, plan.stderr).toBe(0);
  for (const host of site.names) expect((await site.hosts.ssh(host, leftovers)).stdout, host).toBe('');
}

/**
 * A run that lost a host says so. A change that might have cut the controller off is taken back where nobody can
 * confirm it, which makes it a failed one. Gives the changes of that host that were not made.
 */
export function expectLost(lost: Finished, host: string, reason: RegExp): readonly Line[] {
  const left = linesOf(lost, 'result').filter(
    (line) => line['host'] === host && line['outcome'] !== 'changed',
  );
  const failed = left.filter(({ outcome }) => outcome === 'failed');
  for (const line of failed) expect(line['reason']).toMatch(/connection lost while .*tak(en|es) it back/s);
  for (const line of left.filter((one) => !failed.includes(one)))
    expect(line).toMatchObject({ outcome: 'skipped', reason: 'the host was lost' });
  expect(lost.code, lost.stdout).toBe(failed.length === 0 ? 3 : 1);
  const errors = linesOf(lost, 'error');
  expect(errors).toMatchObject([{ code: 'E_CONNECT', host }]);
  expect(errors[0]?.['message']).toContain('connection lost while');
  expect(errors[0]?.['found']).toMatch(reason);
  return left;
}
