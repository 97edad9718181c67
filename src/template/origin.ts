import type { FilePlace } from '../errors.ts';
import { isSecret, type Secret } from '../secrets/secret.ts';
import type { Content, Position, Program, Statement } from './ast.ts';
import { createRenderer, type Rendering } from './render.ts';

/** The source of a line of rendered text. Lines count from 1; without a line, only the template is known. */
export type Origin = (line?: number) => FilePlace;

export interface Origins {
  readonly note: (rendering: Rendering, output: string | Secret) => void;
  /** The origin of a text rendered from a template; undefined for other texts. */
  readonly of: (text: string | Secret) => Origin | undefined;
}

function plain(text: string | Secret): string {
  return isSecret(text) ? text.reveal() : text;
}

/** Remembers renderings, to find the template of a line in an error of a host. */
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
 * The template line of each output line: the text is rendered once more, with a mark at each
 * piece that holds its place. None when the marks change the text itself.
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
