import { expect, test } from 'vitest';
import { transactionsIn } from '../../../src/resources/mysql/own-transactions.ts';

test.each([
  ['', 0],
  ['f22c49c6-e53c-11f1-8880-2e3fcee93386:1-4', 4],
  ['f22c49c6-e53c-11f1-8880-2e3fcee93386:1-4:7,\n0a8ff1ce-e53d-11f1-a544-d2607f8e5dc8:2', 6],
  ['f22c49c6-e53c-11f1-8880-2e3fcee93386:nightly:1-3', 3],
])('of the set "%s" there are as many transactions', (gtids, count) => {
  expect(transactionsIn(gtids)).toBe(count);
});
