import Handlebars from 'handlebars';
import { HostwrightError } from '../errors.ts';

/** The part of handlebars' syntax tree that templates may use. */
export interface Position {
  readonly line: number;
  /** Counted from 0, unlike everywhere else. */
  readonly column: number;
}

interface Node {
  readonly loc: { readonly start: Position; readonly end: Position };
}

export interface PathExpression extends Node {
  readonly type: 'PathExpression';
  /** True for `@index` and its kin. */
  readonly data: boolean;
  /** How many `../` lead the path. */
  readonly depth: number;
  readonly parts: readonly string[];
  readonly original: string;
}

export interface Literal extends Node {
  readonly type: 'StringLiteral' | 'NumberLiteral' | 'BooleanLiteral' | 'UndefinedLiteral' | 'NullLiteral';
  readonly value?: string | number | boolean;
}

export interface Call extends Node {
  readonly path: PathExpression | Literal;
  readonly params: readonly Expression[];
  readonly hash?: Hash;
}

interface Hash extends Node {
  readonly pairs: readonly HashPair[];
}

export interface HashPair extends Node {
  readonly key: string;
  readonly value: Expression;
}

export interface SubExpression extends Call {
  readonly type: 'SubExpression';
}

export type Expression = PathExpression | Literal | SubExpression;

export interface Mustache extends Call {
  readonly type: 'MustacheStatement';
}

export interface Block extends Call {
  readonly type: 'BlockStatement';
  readonly program?: Program;
  readonly inverse?: Program;
}

export interface Partial extends Omit<Call, 'path'> {
  readonly type: 'PartialStatement';
  readonly name: PathExpression | Literal | SubExpression;
}

/** Text as it is. */
export interface Content extends Node {
  readonly type: 'ContentStatement';
  /** `original` without the white space that neighbouring tags remove. */
  readonly value: string;
  readonly original: string;
}

interface Comment extends Node {
  readonly type: 'CommentStatement';
}

interface Refused extends Node {
  readonly type: 'PartialBlockStatement' | 'Decorator' | 'DecoratorBlock';
}

export type Statement = Mustache | Block | Partial | Content | Comment | Refused;

export interface Program {
  readonly body: readonly Statement[];
  readonly blockParams?: readonly string[];
}

/** The syntax tree of a template; E_TEMPLATE with its place where it cannot be parsed. */
export function parseTemplate(text: string, file: string): Program {
  try {
    const parsed: unknown = Handlebars.parse(text);
    if (isProgram(parsed)) return parsed;
    throw new TypeError('the parser gave no program');
  } catch (error) {
    throw parseError(error, text, file);
  }
}

function isProgram(parsed: unknown): parsed is Program {
  return typeof parsed === 'object' && parsed !== null && 'body' in parsed;
}

/** The place in an exception of handlebars, with the column counted from 1. */
function exceptionPlace(error: unknown): { line: number; column: number } | undefined {
  if (typeof error !== 'object' || error === null || !('lineNumber' in error) || !('column' in error))
    return undefined;
  const { lineNumber: line, column } = error;
  return typeof line === 'number' && typeof column === 'number' ? { line, column: column + 1 } : undefined;
}

function parseError(error: unknown, text: string, file: string): HostwrightError {
  const message = error instanceof Error ? error.message : String(error);
  const exact = exceptionPlace(error);
  if (exact) {
    const what = message.replace(/ - \d+:\d+$/, '');
    return new HostwrightError('E_TEMPLATE', `the template cannot be parsed: ${what}`, {
      place: { file, ...exact },
    });
  }
  const [head = '', excerpt = '', arrow = '', reason = ''] = message.split('\n');
  const line = Number(/ on line (\d+)/.exec(head)?.[1] ?? 1);
  const at = caret(text, line, excerpt, arrow.indexOf('^'));
  const open = reason.endsWith("got 'EOF'");
  return new HostwrightError('E_TEMPLATE', open ? 'a block is not closed' : 'the template cannot be parsed', {
    place: { file, ...(at ?? { line }) },
    ...(open ? {} : { found: excerpt.slice(Math.max(0, arrow.indexOf('^') - 12)) }),
    hint: open
      ? 'close every {{#if}}, {{#each}}, {{#with}} and {{#unless}} with its {{/…}}'
      : 'write \\{{ for literal braces',
  });
}

/**
 * Where the parser stopped. It tells the line and an excerpt of at most 20 characters on either side,
 * without its line ends, with an arrow below; the column is where that excerpt stands in the text.
 */
function caret(
  text: string,
  line: number,
  excerpt: string,
  arrow: number,
): { line: number; column: number } | undefined {
  const elided = arrow > 20 && excerpt.startsWith('...') ? 3 : 0;
  const needle = excerpt.slice(elided).replace(/\.\.\.$/, '');
  const offsets: number[] = [];
  for (let offset = 0; offset < text.length; offset++) if (text[offset] !== '\n') offsets.push(offset);
  const flat = text.replaceAll('\n', '');
  const places: { line: number; column: number }[] = [];
  for (let found = flat.indexOf(needle); found !== -1; found = flat.indexOf(needle, found + 1)) {
    const before = text.slice(0, offsets[found + arrow - elided] ?? text.length);
    places.push({ line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') });
  }
  return places.find((place) => place.line === line) ?? places.at(-1);
}
