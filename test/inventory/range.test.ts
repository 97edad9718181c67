import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeProblem, expandRange } from '../../src/inventory/range.ts';

const word = fc.stringMatching(/^[a-z.-]{0,6}$/);

describe('expandRange', () => {
  test.each([
    ['web1', ['web1']],
    ['web[1:3]', ['web1', 'web2', 'web3']],
    ['web[01:10:3].x', ['web01.x', 'web04.x', 'web07.x', 'web10.x']],
    ['[a:c]', ['a', 'b', 'c']],
    ['[y:B]', ['y', 'z', 'A', 'B']],
    ['r[1:2]s[a:b]', ['r1sa', 'r1sb', 'r2sa', 'r2sb']],
    ['web[:1]', ['web0', 'web1']],
    ['web[9:10]', ['web9', 'web10']],
  ])('%s', (text, hosts) => {
    expect(expandRange(text)).toStrictEqual(hosts);
  });

  test.each([
    'w[',
    'w]',
    'w[1]',
    'w[1:',
    'w[a:1]',
    'w[1:2:0]',
    'w[ab:cd]',
    'w[2:1]',
    'w[001:10]',
    'w[1:2][',
    'w[0:99999999999]',
    'w[1:300]x[1:300]',
  ])('%s is refused', (text) => {
    expect(() => expandRange(text)).toThrow(RangeProblem);
  });

  test('every number from the first to the last, in steps, as wide as the first', () => {
    fc.assert(
      fc.property(
        word,
        word,
        fc.nat(500),
        fc.nat(500),
        fc.integer({ min: 1, max: 9 }),
        (head, tail, first, more, step) => {
          const width = String(first + more).length;
          const padded = (number: number): string => String(number).padStart(width, '0');
          const hosts = expandRange(`${head}[${padded(first)}:${padded(first + more)}:${step}]${tail}`);
          expect(hosts).toHaveLength(Math.floor(more / step) + 1);
          for (const [index, host] of hosts.entries())
            expect(host).toBe(`${head}${padded(first + index * step)}${tail}`);
        },
      ),
    );
  });

  test('two ranges make every pair, each host once', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), (one, other) => {
        const hosts = expandRange(`a[0:${one}]b[0:${other}]`);
        expect(new Set(hosts).size).toBe((one + 1) * (other + 1));
      }),
    );
  });

  test('any text is either expanded or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a1:[\]0-]{0,12}$/), (text) => {
        try {
          expect(expandRange(text).every((host) => !/[[\]]/.test(host))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeProblem);
        }
      }),
    );
  });
});
