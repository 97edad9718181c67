import { expect, it } from 'vitest';
import { probeBatches } from '../../src/plan/probe.ts';
import { documentType, packageType, placed } from './model/types.ts';

it('probes all resources of a type together where what there is of one depends on the others', () => {
  const place = { role: 'web', play: 0 };
  const whole = { ...documentType, comparison: { together: true } as const };
  const declared = [
    placed(whole, { path: '/etc/a', text: 'a' }, place, []),
    placed(whole, { path: '/etc/b', text: 'b' }, place, []),
    placed(packageType, { name: 'alpha' }, place, []),
    placed(packageType, { name: 'beta' }, place, []),
  ];
  const [first, , third] = declared;
  if (first === undefined || third === undefined) throw new Error('nothing is declared');
  const ids = probeBatches([first, third], declared).map(({ resources }) => resources.map(({ id }) => id));
  expect(ids).toEqual([['document:/etc/a', 'document:/etc/b'], ['package:alpha']]);
});
