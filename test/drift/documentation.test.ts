import { expect, test } from 'vitest';
import { damages, fields } from '../lab/drift/all.ts';
import { driftPage } from '../lab/drift/document.ts';
import { subject } from '../lab/drift/seen.ts';

test('docs/drift.md says what is tried (npm run docs writes it)', async () => {
  await expect(driftPage(fields)).toMatchFileSnapshot('../../docs/drift.md');
});

test('each damage has its own words, and in each round a host is left alone', () => {
  expect(new Set(damages.map(({ what }) => what)).size).toBe(damages.length);
  for (const round of new Set(damages.map((damage) => damage.round))) {
    const hosts = new Set(damages.filter((damage) => damage.round === round).map(({ host }) => host));
    expect(hosts.size, `round ${round}`).toBeLessThan(3);
  }
});

test('damages to one resource in one round are shown by attributes of their own', () => {
  const shown = damages.flatMap((damage) =>
    Object.keys(damage.seen ?? { [damage.action]: '' }).map(
      (name) => `${damage.round} ${subject(damage)} ${name}`,
    ),
  );
  expect(shown.filter((line, index) => shown.indexOf(line) !== index)).toEqual([]);
});
