import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damages, refusedRounds, rounds } from '../lab/drift/all.ts';
import { subnet, type Damage } from '../lab/drift/damage.ts';
import type { Refusal } from '../lab/drift/refusal.ts';
import { refusals } from '../lab/drift/refusals.ts';
import { breaking, inspection, outcomes, undoing } from '../lab/drift/script.ts';
import {
  changesOf,
  complaintsOf,
  expectedAttributes,
  expectedChanges,
  expectedComplaint,
  shownAttributes,
  subject,
  type Complaint,
  type Seen,
} from '../lab/drift/seen.ts';
import { declarations } from '../lab/drift/site.ts';
import { bareHosts, jsonLines, type Finished, type TestHosts } from '../lab/hosts.ts';

const names = ['web1', 'web2', 'web3'] as const;

let hosts: TestHosts;

beforeAll(async () => {
  hosts = await bareHosts('drift', subnet, 3);
  await writeFile(join(hosts.inventory, 'group_vars/all/drift.yml'), declarations);
  const apply = await hosts.hostwright('apply', '--yes', '--json', '--no-diff');
  if (apply.code !== 0) throw new Error(`the site is not provisioned:\n${apply.stdout}${apply.stderr}`);
});

afterAll(async () => {
  await hosts.down();
});

/** Runs shell that is made of the damages of each host on that host; gives whose part has succeeded. */
async function onHosts<Kind extends Pick<Damage, 'host'>>(
  of: readonly Kind[],
  script: (damages: readonly Kind[]) => string,
): Promise<ReadonlyMap<Kind, boolean>> {
  const answers = await Promise.all(
    names.map(async (host) => {
      const own = of.filter((damage) => damage.host === host);
      const { stdout } = await hosts.ssh(host, script(own));
      const succeeded = outcomes(stdout, own.length);
      return own.map((damage, index): [Kind, boolean] => [damage, succeeded[index] === true]);
    }),
  );
  return new Map(answers.flat());
}

/** The damages whose part of the script fails, in words. */
async function failing<Kind extends Pick<Damage, 'host' | 'what'>>(
  of: readonly Kind[],
  script: (damages: readonly Kind[]) => string,
): Promise<readonly string[]> {
  return [...(await onHosts(of, script))].filter(([, succeeded]) => !succeeded).map(([{ what }]) => what);
}

/** Does the damages to a site that has none of them. */
async function strike(of: readonly (Damage | Refusal)[]): Promise<void> {
  expect(await failing(of, inspection)).toEqual([]);
  expect(await failing(of, breaking)).toEqual([]);
  const broken = await failing(of, inspection);
  expect(broken.toSorted()).toEqual(of.map(({ what }) => what).toSorted());
}

/** One apply heals everything, and nothing is left to do. */
async function heal(of: readonly (Damage | Refusal)[], more: readonly string[] = []): Promise<void> {
  const apply = await hosts.hostwright('apply', '--yes', '--json', '--no-diff', ...more);
  expect(apply.code, apply.stdout + apply.stderr).toBe(0);
  await expect.poll(() => failing(of, inspection), { timeout: 30_000, interval: 1000 }).toEqual([]);
  const again = await hosts.hostwright('plan', '--json', '--no-diff', ...more);
  expect(again.code, again.stdout + again.stderr).toBe(0);
}

function lines(changes: readonly Seen[]): readonly string[] {
  return changes.map((change) => `${subject(change)} ${change.action}`).toSorted();
}

function drifted(finished: Finished): ReadonlySet<string> {
  return new Set(changesOf(jsonLines(finished)).map(subject));
}

describe.each(rounds)('damage by hand, round %i', (round) => {
  const own = damages.filter((damage) => damage.round === round);
  const deep = own.some(({ isDeep }) => isDeep === true) ? ['--deep'] : [];
  let plan: readonly Seen[];

  it('is done to a site that is sound', async () => {
    await strike(own);
  });

  it('is seen by plan, and nothing else is', async () => {
    const finished = await hosts.hostwright('plan', '--json', '--no-diff', ...deep);
    plan = changesOf(jsonLines(finished));
    expect(finished.code, finished.stdout + finished.stderr).toBe(2);
    expect(lines(plan)).toEqual(expectedChanges(own));
  });

  it.each(own)('$what: is drift, and shown for what it is', ({ host, resource, role }) => {
    const same = own.filter((other) => subject(other) === subject({ host, resource }));
    const change = plan.find((one) => subject(one) === subject({ host, resource }));
    expect(change).toMatchObject({ role, cause: 'drift' });
    if (change?.action !== 'update') return;
    const expected = expectedAttributes(same);
    expect(shownAttributes(change, expected)).toEqual(expected);
  });

  it('is what drift reports', async () => {
    const finished = await hosts.hostwright('drift', '--json', '--no-diff', ...deep);
    expect(finished.code).toBe(2);
    expect([...drifted(finished)]).toEqual(expect.arrayContaining(own.map(subject)));
  });

  it('leaves the hosts alone that have none', () => {
    const damaged = new Set<string>(own.map(({ host }) => host));
    expect(plan.filter(({ host }) => !damaged.has(host))).toEqual([]);
    expect(names.some((name) => !damaged.has(name))).toBe(true);
  });

  it('is healed by one apply', async () => {
    await heal(own, deep);
  });
});

describe.each(refusedRounds)('damage that is refused, round R%i', (round) => {
  const own = refusals.filter((refusal) => refusal.round === round);
  const words = own.map(({ what }) => what);
  let complaints: readonly Complaint[];

  it('is done to a site that is sound', async () => {
    await strike(own);
  });

  it('is refused by plan, or shown and then refused by apply; and it stays as it is', async () => {
    const plan = await hosts.hostwright('plan', '--json', '--no-diff');
    const refused = own.filter(({ by }) => by === 'plan');
    expect(complaintsOf(jsonLines(plan)).map(({ line }) => line)).toEqual(
      expect.arrayContaining(refused.map(expectedComplaint)),
    );
    expect(lines(changesOf(jsonLines(plan)))).toEqual(
      expectedChanges(own.flatMap((one) => (one.by === 'apply' ? [one] : []))),
    );
    const apply = await hosts.hostwright('apply', '--yes', '--json', '--no-diff');
    expect(apply.code, apply.stdout + apply.stderr).toBe(1);
    complaints = complaintsOf(jsonLines(apply));
    expect(complaints.map(({ line }) => line).toSorted()).toEqual(own.map(expectedComplaint).toSorted());
    expect((await failing(own, inspection)).toSorted()).toEqual(words.toSorted());
  });

  it.each(own)('$what: the error names the cause', (refusal) => {
    const said = complaints.find(({ line }) => line === expectedComplaint(refusal))?.words;
    for (const part of refusal.says) expect(said).toContain(part);
  });

  it('is healed by one apply once a person has taken the cause away', async () => {
    expect(await failing(own, undoing)).toEqual([]);
    await heal(own);
  });
});
