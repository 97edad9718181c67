import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/secrets/secret.ts';
import { createOrigins, type Origin } from '../../src/template/origin.ts';
import { render, type ReadPartial } from '../../src/template/render.ts';

function originOf(text: string, data: Record<string, unknown>, partial?: ReadPartial): Origin {
  const rendering = { text, data, file: 'a.hbs', ...(partial === undefined ? {} : { partial }) };
  const origins = createOrigins();
  const output = render(rendering);
  origins.note(rendering, output);
  const origin = origins.of(output);
  if (origin === undefined) throw new Error('no origin');
  return origin;
}

/** The lines of the template that the lines of the output are from. */
function linesOf(text: string, data: Record<string, unknown>, count: number): readonly unknown[] {
  const origin = originOf(text, data);
  return Array.from({ length: count }, (_, index) => origin(index + 1).line);
}

describe('where a line of a rendered text comes from', () => {
  it('is its own line where nothing adds or takes away lines', () => {
    expect(linesOf('one\n{{two}}\n\n  three {{two}}\n', { two: 'x' }, 4)).toEqual([1, 2, 3, 4]);
  });

  it('leaves out the lines of blocks and comments, and branches that are not taken', () => {
    const text = '{{!-- a\ncomment --}}\n{{#if no}}\nnever\n{{else}}\nelse\n{{/if}}\nlast\n';
    expect(linesOf(text, { no: false }, 2)).toEqual([6, 8]);
  });

  it('is the same line for each item of a list', () => {
    const text = 'start\n{{#each items}}\n  server {{this}}\n  check\n{{/each}}\nend\n';
    expect(linesOf(text, { items: ['a', 'b'] }, 6)).toEqual([1, 3, 4, 3, 4, 6]);
  });

  it('is the line of the value for all lines of a value', () => {
    expect(linesOf('one\n{{more}}\nlast', { more: 'a\nb\nc' }, 5)).toEqual([1, 2, 2, 2, 3]);
  });

  it('is right behind tags that take white space away', () => {
    expect(linesOf('one\n\n{{~#if yes}}\n\n two {{~/if}}\n\n\nlast\n', { yes: true }, 5)).toEqual([
      1, 5, 6, 7, 8,
    ]);
  });

  it('names the partial for the lines of a partial', () => {
    const origin = originOf('first\n  {{> part}}\nlast\n', {}, () => ({ file: 'part.hbs', text: 'x\ny\n' }));
    expect([1, 2, 3, 4].map((line) => origin(line))).toEqual([
      { file: 'a.hbs', line: 1 },
      { file: 'part.hbs', line: 1 },
      { file: 'part.hbs', line: 2 },
      { file: 'a.hbs', line: 3 },
    ]);
  });

  it('is known for a text with a secret in it', () => {
    expect(linesOf('user\n{{password}}\n', { password: new Secret('a\nb') }, 3)).toEqual([1, 2, 2]);
  });

  it('is the template alone where the line is not asked for, not there, or holds the marks themselves', () => {
    const origin = originOf('one\n', {});
    expect([origin(), origin(9)]).toEqual([{ file: 'a.hbs' }, { file: 'a.hbs' }]);
    expect(originOf('{{x}}\n', { x: '\uE0F00:7\uE0F1' })(1)).toEqual({ file: 'a.hbs' });
  });

  it('is unknown for a text that no template gave', () => {
    expect(createOrigins().of('one\n')).toBeUndefined();
  });
});
