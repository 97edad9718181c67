import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globExpression } from '../../src/inventory/glob.ts';
import type { Inventory } from '../../src/inventory/model.ts';
import { matchHosts, selectHosts, splitPattern } from '../../src/inventory/pattern.ts';
import { readInventory } from '../../src/inventory/read.ts';
import { failures } from './failure.ts';
import { tree } from './tree.ts';

const inventory = await readInventory(join(import.meta.dirname, 'fixtures/order'));

function names(pattern: string, of: Inventory = inventory): string[] {
  return matchHosts(of, pattern).map((host) => host.name);
}

describe('matchHosts', () => {
  test.each([
    ['all', ['zed', 'web1', 'lb1', 'web2', 'db2', 'db1', 'web10']],
    ['web:db', ['web10', 'web2', 'web1', 'db1', 'db2']],
    ['web:&lb', ['web2']],
    ['web,!db', ['web10', 'web2', 'web1']],
    ['!web', ['zed', 'lb1', 'db2']],
    ['web[0]', ['web10']],
    ['web[1:2]', ['web2', 'web1']],
    ['web[-1]', ['db1']],
    ['web?', ['web2', 'web1']],
    ['~^(db|lb)\\d', ['lb1', 'db2', 'db1']],
    ['db1,web1,db1', ['db1', 'web1']],
    ['web:!web', []],
  ])('%s', (pattern, hosts) => {
    const found = names(pattern);
    expect(
      pattern.startsWith('~') || pattern === 'all' || pattern === '!web' ? found.toSorted() : found,
    ).toStrictEqual(
      pattern.startsWith('~') || pattern === 'all' || pattern === '!web' ? hosts.toSorted() : hosts,
    );
  });

  test.each([
    ['wbe', { message: 'pattern wbe matches no host and no group', hint: 'did you mean "web"' }],
    ['web:!wbe1', { found: 'wbe1', hint: expect.stringContaining('"web1"') }],
    ['~eb', { found: '~eb' }],
    ['x*', { found: 'x*', hint: expect.stringContaining('groups: ') }],
    ['web:db,lb', { hint: expect.stringContaining('commas') }],
    ['web[9]', { found: 'position 9', expected: '0 to 3' }],
    ['~(', { hint: expect.stringContaining('regular expression') }],
    ['', { message: 'the host pattern is empty' }],
    ['web:!', { message: 'a host pattern is malformed' }],
  ])('%s is refused', async (pattern, failure) => {
    expect(await failures(() => matchHosts(inventory, pattern))).toMatchObject([
      { code: 'E_PATTERN', ...failure },
    ]);
  });

  const part = fc.constantFrom(
    'all',
    'web',
    'db',
    'lb',
    'web1',
    'w*',
    '*1',
    'ungrouped',
    '~web',
    'db[0]',
    'web[0:1]',
  );

  test('patterns are unions, intersections and differences, without repetition', () => {
    fc.assert(
      fc.property(part, part, part, (one, other, third) => {
        const [a, b, c] = [new Set(names(one)), new Set(names(other)), new Set(names(third))];
        const union = names(`${one},${other}`);
        expect(new Set(union)).toStrictEqual(new Set([...a, ...b]));
        expect(new Set(union).size).toBe(union.length);
        const rest = names(`${one},!${third},&${other}`);
        expect(rest).toStrictEqual(names(one).filter((name) => b.has(name) && !c.has(name)));
      }),
    );
  });
});

describe('splitPattern', () => {
  test.each([
    ['a:b', ['a', 'b']],
    ['a, b[1:2] ,!c', ['a', 'b[1:2]', '!c']],
    ['web[0:1]:!db', ['web[0:1]', '!db']],
    ['2001:db8::1', ['2001:db8::1']],
    ['web[1:3]', ['web[1:3]']],
  ])('%s', (pattern, parts) => {
    expect(splitPattern(pattern)).toStrictEqual(parts);
  });
});

describe('globExpression', () => {
  test.each([
    ['a*c', 'abbc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['[!a]b', 'cb', true],
    ['[]]b', ']b', true],
    ['[b-a]x', 'bx', false],
    ['[a-c]x', 'bx', true],
    ['a[', 'a[', true],
    ['[^a]x', 'bx', false],
    ['(a|b)+', '(a|b)+', true],
  ])('%s on %s: %s', (glob, name, matches) => {
    expect(globExpression(glob).test(name)).toBe(matches);
  });

  test('a text without special characters matches itself and nothing longer', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/[*?[]/.test(text)),
        (text) => {
          expect(globExpression(text).test(text)).toBe(true);
          expect(globExpression(text).test(`${text}x`)).toBe(false);
        },
      ),
    );
  });
});

describe('selectHosts', () => {
  test('a limit keeps the order of the pattern', async () => {
    const limit = `@${join(tree({ retry: 'web1\n\nlb\n' }), 'retry')}`;
    const hosts = await selectHosts(inventory, 'web', { limit });
    expect(hosts.map((host) => host.name)).toStrictEqual(['web2', 'web1']);
  });

  test.each([
    ['web', '!web', { message: 'the pattern and --limit leave no host', found: 'web, limited to !web' }],
    ['web', 'wob', { hint: 'did you mean "web"' }],
    ['web', '@/nowhere', { message: 'the file of --limit cannot be read' }],
  ])('%s limited to %s is refused', async (pattern, limit, failure) => {
    expect(await failures(() => selectHosts(inventory, pattern, { limit }))).toMatchObject([
      { code: 'E_PATTERN', ...failure },
    ]);
  });
});
