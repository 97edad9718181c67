import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/secrets/secret.ts';
import { isTrue, templateFunctions } from '../../src/template/functions.ts';
import { render } from '../../src/template/render.ts';

const rendered = (text: string, data: Record<string, unknown> = {}): string | Secret =>
  render({ text, data, file: 'f.hbs' });

describe('functions of templates', () => {
  test.each([
    ['{{eq a 1}} {{eq a "1"}} {{eq s "x"}} {{eq n null}}', 'true false true true'],
    ['{{ne a 1}} {{ne a 2}}', 'false true'],
    ['{{and a s}} {{and a 0}} {{and a s empty}}', 'true false false'],
    ['{{or 0 s}} {{or 0 ""}} {{or empty n a}}', 'true false true'],
    ['{{not a}} {{not empty}} {{not n}}', 'false true true'],
    ['{{default n "x"}} {{default a "x"}} {{default 0 "x"}} {{default (lookup map "z") "x"}}', 'x 1 0 x'],
    ['{{lookup map "k"}} {{lookup list 1}}', 'v b'],
    ['{{join list ", "}}|{{join empty ", "}}', 'a, b|'],
    ['{{json map}} {{json list}} {{json s}}', '{"k":"v"} ["a","b"] "x"'],
    ['{{json list 2}}', '[\n  "a",\n  "b"\n]'],
    ['{{indent lines 2}}', '  one\n\n  two\n'],
    ['{{#if (and (eq s "x") (not empty))}}yes{{/if}}', 'yes'],
  ])('%s', (text, expected) => {
    const data = {
      a: 1,
      s: 'x',
      n: null,
      empty: [],
      list: ['a', 'b'],
      map: { k: 'v' },
      lines: 'one\n\ntwo\n',
    };
    expect(rendered(text, data)).toBe(expected);
  });

  test.each([
    ['{{eq map 1}}', 'eq: a map cannot be compared'],
    ['{{join s ","}}', 'join: text cannot be joined'],
    ['{{join maps ","}}', 'join: an item of the list is a map'],
    ['{{lookup s "x"}}', 'lookup: text has no entries'],
    ['{{json (lookup map "x")}}', 'json: an unset value has no JSON'],
    ['{{indent s "x"}}', 'indent: the number of spaces is not a whole number'],
    ['{{indent map 2}}', 'indent: what to indent is a map'],
  ])('%s is an error with its place', (text, message) => {
    const data = { s: 'x', map: {}, maps: [{}] };
    expect(() => rendered(text, data)).toThrow(
      expect.objectContaining({
        code: 'E_TEMPLATE',
        message: expect.stringContaining(message),
        place: { file: 'f.hbs', line: 1, column: 1 },
      }),
    );
  });

  test('truth is that of the if block', () => {
    for (const value of [0, 1, '', 'x', null, undefined, false, true, [], [0], {}, new Secret('x')]) {
      expect(rendered('{{#if v}}true{{else}}false{{/if}}', { v: value })).toBe(String(isTrue(value)));
    }
  });

  test('each says what it does', () => {
    for (const { summary } of Object.values(templateFunctions)) expect(summary.length).toBeGreaterThan(20);
  });
});
