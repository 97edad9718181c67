import { expect, test } from 'vitest';
import { binlogStateMinus, positionIn } from '../../../src/resources/mysql/binlog-state.ts';

test.each([
  ['', '', ''],
  ['0-1-7', '0-1-7', ''],
  ['0-1-7', '0-1-9', ''],
  ['0-1-9', '0-1-7', '0-1-9'],
  ['0-1-7,0-2-3', '0-1-9', '0-2-3'],
  ['0-1-7,\n1-1-3', '1-1-3,0-1-7', ''],
  ['0-1-18446744073709551615', '0-1-18446744073709551614', '0-1-18446744073709551615'],
  // Where a position and a state are given, the later of both counts.
  ['0-1-9', '0-1-3,0-1-9', ''],
])('%j has beyond %j: %j', (state, other, expected) => {
  expect(binlogStateMinus(state, other)).toBe(expected);
});

test('from where on a replica follows is the last transaction of each domain', () => {
  expect(positionIn('0-1-7,0-2-9,5-1-3,,0-2-8')).toBe('0-2-9,5-1-3');
  expect(positionIn('')).toBe('');
});

test('what is no GTID is an error, never nothing', () => {
  expect(() => binlogStateMinus('uuid:1-3', '')).toThrow(RangeError);
});
