import type { FilePlace } from '../errors.ts';
import { isSecret, type Secret } from '../secrets/secret.ts';
import type { Content, Position, Program, Statement } from './ast.ts';
import { createRenderer, type Rendering } from './render.ts';

/** Where a line of a rendered text comes from, lines counted from 1; without a line, the template alone. */
export type Origin = (line?: number) => FilePlace;

export interface Origins {
  readonly note: (rendering: Rendering, output: string | Secret) => void;
  /** The origin of a text that was rendered as a whole from a template; undefined for any other. */
  readonly of: (text: string | Secret) => Origin | undefined;
}

function plain(text: string | Secret): string {
  return isSecret(text) ? text.reveal() : text;
}

/** Remembers what was rendered from what, to answer for a line that a host complains about. */
export function createOrigins(): Origins {
  const renderings = new Map<string, Rendering>();
  return {
    note: (rendering, output) => renderings.set(plain(output), rendering),
    of: (text) => {
      const output = plain(text);
      const rendering = renderings.get(output);
      if (rendering === undefined) return undefined;
      let places: readonly FilePlace[] | undefined;
      return (line) => {
        const whole = { file: rendering.file };
        if (line === undefined) return whole;
        places ??= placesOf(rendering, output);
        return places[line - 1] ?? whole;
      };
    },
  };
}

// Of the private use area, where no text has anything.
const open = '\uE0F0';
const close = '\uE0F1';
const anyMark = new RegExp(`${open}(\\d+):(\\d+)${close}`, 'g');

/**
 * For each line of the output its place in a template: the text is rendered once more, with a mark at each
 * piece that says where it stands. None where the marks get in the way of the text itself.
 */
function placesOf(rendering: Rendering, output: string): readonly FilePlace[] {
  const files: string[] = [];
  const render = createRenderer((program, file) => {
    files.push(file);
    return withMarks(program, (line) => `${open}${files.length - 1}:${line}${close}`);
  });
  const marked = plain(render(rendering));
  if (marked.replace(anyMark, '') !== output) return [];
  let last: FilePlace = { file: rendering.file };
  return marked.split('\n').map((line) => {
    const places = [...line.matchAll(anyMark)].map(([, file, number]): FilePlace => ({
      file: files[Number(file)] ?? rendering.file,
      line: Number(number),
    }));
    // A line without a mark is a further line of a value.
    const place = places[0] ?? last;
    last = places.at(-1) ?? last;
    return place;
  });
}

type Mark = (line: number) => string;

function withMarks(program: Program, mark: Mark): Program {
  return { ...program, body: program.body.flatMap((node) => markStatement(node, mark)) };
}

function markStatement(node: Statement, mark: Mark): readonly Statement[] {
  switch (node.type) {
    case 'ContentStatement':
      return [{ ...node, value: markContent(node, mark) }];
    case 'MustacheStatement': {
      const { loc } = node;
      return [contentAt(loc, mark(loc.start.line)), node];
    }
    case 'BlockStatement':
      return [
        {
          ...node,
          ...(node.program && { program: withMarks(node.program, mark) }),
          ...(node.inverse && { inverse: withMarks(node.inverse, mark) }),
        },
      ];
    case 'CommentStatement':
    case 'PartialStatement':
    case 'PartialBlockStatement':
    case 'Decorator':
    case 'DecoratorBlock':
      return [node];
    default:
      return node satisfies never;
  }
}

function contentAt(loc: { readonly start: Position; readonly end: Position }, value: string): Content {
  return { type: 'ContentStatement', loc, value, original: value };
}

/** A mark before each piece of a line. What was taken away behind the value is blanks, never a line. */
function markContent({ value, original, loc }: Content, mark: Mark): string {
  const before = original.slice(0, Math.max(original.lastIndexOf(value), 0));
  const first = loc.start.line + before.split('\n').length - 1;
  return value
    .split('\n')
    .map((piece, index, all) =>
      piece === '' && index === all.length - 1 ? piece : mark(first + index) + piece,
    )
    .join('\n');
}
