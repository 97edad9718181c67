import { expect, test } from 'vitest';
import { gtidsMinus } from '../../../src/resources/mysql/gtid-set.ts';

const [a, b] = ['f22c49c6-e53c-11f1-8880-2e3fcee93386', '11111111-e53c-11f1-8880-2e3fcee93386'];

test.each([
  [`${a}:1-33`, `${a}:1-33`, ''],
  [`${a}:1-33`, '', `${a}:1-33`],
  ['', `${a}:1-33`, ''],
  [`${a}:1-33`, `${a}:1-30`, `${a}:31-33`],
  [`${a}:1-33`, `${a}:5-6:9`, `${a}:1-4:7-8:10-33`],
  [`${a}:1-3:8-9`, `${a}:2-8`, `${a}:1:9`],
  [`${a}:1-3, ${b}:7`, `${a}:1-3`, `${b}:7`],
  [`${a.toUpperCase()}:1-3`, `${a}:1-4`, ''],
  [`${a}:1-3:tagged:1-2`, `${a}:1-3:tagged:1`, `${a}:tagged:2`],
])('%j without %j is %j', (set, other, expected) => {
  expect(gtidsMinus('mysql', set, other)).toBe(expected);
});

test('of another form is an error', () => {
  expect(() => gtidsMinus('mysql', `${a}:1-x!`, '')).toThrow(RangeError);
});
