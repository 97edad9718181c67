import { expect, test } from 'vitest';
import { binlogStateMinus, isBehindState, positionIn } from '../../../src/resources/mysql/binlog-state.ts';

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

test.each([
  ['0-1-7', '0-1-7', false],
  ['0-1-7', '0-1-8', true],
  ['0-1-7', '0-1-7,5-1-1', true],
  // The copy of a primary that has got the writes back from another server.
  ['0-1-9', '0-1-9,0-2-8', false],
  ['0-1-9', '0-1-9,0-2-10', true],
  ['0-1-9', '', false],
])('a replica at %j of a primary at %j is behind: %j', (state, primary, expected) => {
  expect(isBehindState(state, primary)).toBe(expected);
});

test('what is no GTID is an error, never nothing', () => {
  expect(() => binlogStateMinus('uuid:1-3', '')).toThrow(RangeError);
});
