import { expect, test } from 'vitest';
import { damages, fields } from '../lab/drift/all.ts';
import type { Damage } from '../lab/drift/damage.ts';
import { driftPage } from '../lab/drift/document.ts';
import { refusals } from '../lab/drift/refusals.ts';
import { subject } from '../lab/drift/seen.ts';

test('docs/drift.md says what is tried (npm run docs writes it)', async () => {
  await expect(driftPage(fields, refusals)).toMatchFileSnapshot('../../docs/drift.md');
});

const all = [...damages, ...refusals];

test('each damage has its own words', () => {
  expect(new Set(all.map(({ what }) => what)).size).toBe(all.length);
});

test.each([
  ['damages', damages],
  ['refusals', refusals],
])('in each round of %s a host is left alone', (_, some: readonly Pick<Damage, 'round' | 'host'>[]) => {
  for (const round of new Set(some.map((one) => one.round))) {
    const hosts = new Set(some.filter((one) => one.round === round).map(({ host }) => host));
    expect(hosts.size, `round ${round}`).toBeLessThan(3);
  }
});

test('of a host without a plan, no change is expected', () => {
  const without = new Set(
    refusals.filter(({ by }) => by === 'plan').map(({ round, host }) => `${round} ${host}`),
  );
  const changed = refusals.filter(({ by }) => by === 'apply').map(({ round, host }) => `${round} ${host}`);
  expect(changed.filter((one) => without.has(one))).toEqual([]);
});

test('damages to one resource in one round are shown by words of their own', () => {
  const shown = damages.flatMap((damage) =>
    Object.entries(damage.seen ?? { [damage.action]: '' }).map(
      ([name, values]) => `${damage.round} ${subject(damage)} ${name} ${values}`,
    ),
  );
  expect(shown.filter((line, index) => shown.indexOf(line) !== index)).toEqual([]);
});
