import type { Mustache, Position, Program } from './ast.ts';
import { DisclosedSecret, describeValue } from './disclosure.ts';

/** The name of the function that converts every value to text. */
export const outputFunction = '__text';

/** A value as text. Throws TypeError for a value that is not text. */
export function outputText(value: unknown): string {
  if (value instanceof DisclosedSecret) return value.disclose();
  if (isText(value)) return String(value);
  throw new TypeError(`${describeValue(value)} is not text`);
}

/** Whether a value can stand in a text. */
export function isText(value: unknown): value is string | number | boolean | bigint | DisclosedSecret {
  return ['string', 'number', 'boolean', 'bigint'].includes(typeof value) || value instanceof DisclosedSecret;
}

/**
 * The template with `{{name}}` as `{{__text name}}` and `{{call a}}` as `{{__text (call a)}}`. Without it
 * handlebars adds up two numbers that stand side by side (`{{a}}{{b}}` of 1 and 2 is 3 under `noEscape`)
 * and leaves out null.
 */
export function withOutputCalls(text: string, program: Program): string {
  const lineStarts = [0];
  for (const end of text.matchAll(/\r\n?|\n/g)) lineStarts.push(end.index + end[0].length);
  const offset = ({ line, column }: Position): number => (lineStarts[line - 1] ?? 0) + column;

  const insertions: { readonly at: number; readonly inserted: string }[] = [];
  for (const { path, params, hash } of mustaches(program)) {
    if (path.type !== 'PathExpression') continue;
    const last = hash ?? params.at(-1);
    insertions.push({ at: offset(path.loc.start), inserted: `${outputFunction} ${last ? '(' : ''}` });
    if (last) insertions.push({ at: offset(last.loc.end), inserted: ')' });
  }

  let output = '';
  let copied = 0;
  for (const { at, inserted } of insertions.toSorted((a, b) => a.at - b.at)) {
    output += text.slice(copied, at) + inserted;
    copied = at;
  }
  return output + text.slice(copied);
}

function* mustaches(program: Program | undefined): Generator<Mustache> {
  for (const node of program?.body ?? []) {
    if (node.type === 'MustacheStatement') yield node;
    if (node.type !== 'BlockStatement') continue;
    yield* mustaches(node.program);
    yield* mustaches(node.inverse);
  }
}
