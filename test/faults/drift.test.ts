import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damages, rounds } from '../lab/drift/all.ts';
import { subnet, type Damage } from '../lab/drift/damage.ts';
import { breaking, inspection, outcomes } from '../lab/drift/script.ts';
import {
  changesOf,
  expectedAttributes,
  expectedChanges,
  shownAttributes,
  subject,
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
async function onHosts(
  of: readonly Damage[],
  script: (damages: readonly Damage[]) => string,
): Promise<ReadonlyMap<Damage, boolean>> {
  const answers = await Promise.all(
    names.map(async (host) => {
      const own = of.filter((damage) => damage.host === host);
      const { stdout } = await hosts.ssh(host, script(own));
      const succeeded = outcomes(stdout, own.length);
      return own.map((damage, index): [Damage, boolean] => [damage, succeeded[index] === true]);
    }),
  );
  return new Map(answers.flat());
}

/** The damages whose part of the script fails, in words. */
async function failing(
  of: readonly Damage[],
  script: (damages: readonly Damage[]) => string,
): Promise<readonly string[]> {
  return [...(await onHosts(of, script))].filter(([, succeeded]) => !succeeded).map(([{ what }]) => what);
}

function lines(changes: readonly Seen[]): readonly string[] {
  return changes.map((change) => `${subject(change)} ${change.action}`).toSorted();
}

function drifted(finished: Finished): ReadonlySet<string> {
  return new Set(changesOf(jsonLines(finished)).map(subject));
}

describe.each(rounds)('damage by hand, round %i', (round) => {
  const own = damages.filter((damage) => damage.round === round);
  const words = own.map(({ what }) => what);
  let plan: readonly Seen[];

  it('is done to a site that is sound', async () => {
    expect(await failing(own, inspection)).toEqual([]);
    expect(await failing(own, breaking)).toEqual([]);
    const broken = await failing(own, inspection);
    expect([...broken].toSorted()).toEqual([...words].toSorted());
  });

  it('is seen by plan, and nothing else is', async () => {
    const finished = await hosts.hostwright('plan', '--json', '--no-diff');
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
    const finished = await hosts.hostwright('drift', '--json', '--no-diff');
    expect(finished.code).toBe(2);
    expect([...drifted(finished)]).toEqual(expect.arrayContaining(own.map(subject)));
  });

  it('leaves the hosts alone that have none', () => {
    const damaged = new Set<string>(own.map(({ host }) => host));
    expect(plan.filter(({ host }) => !damaged.has(host))).toEqual([]);
    expect(names.some((name) => !damaged.has(name))).toBe(true);
  });

  it('is healed by one apply', async () => {
    const apply = await hosts.hostwright('apply', '--yes', '--json', '--no-diff');
    expect(apply.code, apply.stdout + apply.stderr).toBe(0);
    await expect.poll(() => failing(own, inspection), { timeout: 30_000, interval: 1000 }).toEqual([]);
    const again = await hosts.hostwright('plan', '--json', '--no-diff');
    expect(again.code, again.stdout + again.stderr).toBe(0);
  });
});
