import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outputText } from '../../src/template/output.ts';
import { render } from '../../src/template/render.ts';

interface Piece {
  readonly text: string;
  readonly value: string;
}

const words = fc.string({
  unit: fc.constantFrom('a', ' ', '\n', '"', "'", 'ü', '}', '\r\n', '<'),
  maxLength: 6,
});
const values = fc.oneof(fc.integer(), fc.boolean(), words);
const data = { n: 7, s: '&x', f: false, list: [1, 2], map: { n: 8 } };

/** A piece of a template with the text it stands for, with `data`. */
const pieces: fc.Arbitrary<Piece[]> = fc.array(
  fc.oneof(
    words.map((text) => ({ text, value: text })),
    fc.constantFrom(
      { text: '{{n}}', value: '7' },
      { text: '{{{ s }}}', value: '&x' },
      { text: '{{f}}', value: 'false' },
      { text: '{{map.n}}', value: '8' },
      { text: '{{this.[n]}}', value: '7' },
      { text: '{{&n}}', value: '7' },
      { text: '{{join list ","}}', value: '1,2' },
      { text: '{{ default (lookup map "n") 3 }}', value: '8' },
      { text: '{{#each list}}{{this}}{{@index}}{{/each}}', value: '1021' },
      { text: '{{#if f}}{{n}}{{else}}{{n}}{{n}}{{/if}}', value: '77' },
      { text: '{{^if f}}{{s}}{{else}}{{n}}{{/if}}', value: '&x' },
      { text: '{{#with map as |m|}}{{m.n}}{{n}}{{/with}}', value: '88' },
      { text: '{{{{raw}}}}{{n}}{{{{/raw}}}}', value: '{{n}}' },
      { text: '{{!-- {{n}} --}}', value: '' },
    ),
  ),
);

describe('what a template gives', () => {
  test('is never anything but text', () => {
    for (const value of [null, undefined, {}, [1], Symbol('x'), () => 1]) {
      expect(() => outputText(value)).toThrow('is not text');
    }
    expect([1, 0, false, 'x'].map(outputText)).toEqual(['1', '0', 'false', 'x']);
  });

  test('is its pieces one after the other', () => {
    fc.assert(
      fc.property(pieces, (chosen) => {
        // A letter between the pieces: none stands alone on its line, or makes three braces with its neighbour.
        const text = `a${chosen.map((piece) => piece.text).join('b')}c`;
        const expected = `a${chosen.map((piece) => piece.value).join('b')}c`;
        expect(render({ text, data, file: 'f' })).toBe(expected);
      }),
    );
  });

  test('of nothing but values is those values, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1 }), (list) => {
        const text = list.map((_value, index) => `{{list.[${index}]}}`).join('');
        expect(render({ text, data: { list }, file: 'f' })).toBe(list.map(String).join(''));
      }),
    );
  });
});
