import { isDeepStrictEqual } from 'node:util';
import { LineCounter, isNode, isScalar, parseDocument, visit, type Pair } from 'yaml';
import { HostwrightError, isExpected, type FilePlace } from '../errors.ts';
import { isEncrypted } from '../secrets/age.ts';
import type { RawValue } from './model.ts';
import { collectProblems } from './problems.ts';
import { plainScalar } from './scalar.ts';
import { isJson, readYaml, toRawValue, type Node } from './yaml.ts';

/** What a variable is set to. */
export type NewValue = string | number | boolean;

function cannot(name: string, place: FilePlace, found: string): HostwrightError {
  return new HostwrightError('E_INVENTORY', `${name} cannot be set without changing something else`, {
    ...{ place, found, expected: `a line \`${name}: value\` of its own` },
    hint: `set ${name} in the file by hand, then run the command again`,
  });
}

function read(text: string, file: string): Node | null {
  const problems = collectProblems('E_INVENTORY');
  const node = readYaml(text, file, problems);
  problems.throwAny();
  return node;
}

/** The paths on which a mapping shows the key at a place: several where an anchor is used more than once. */
function pathsTo(
  node: Node | null,
  place: FilePlace,
  path: readonly string[] = [],
): readonly (readonly string[])[] {
  if (node?.kind !== 'map') return [];
  return node.entries.flatMap((entry) => {
    const own = [...path, entry.key];
    const isThere = entry.place.line === place.line && entry.place.column === place.column;
    return [...(isThere ? [own] : []), ...pathsTo(entry.value, place, own)];
  });
}

/** `raw` with another value at a path. */
function replacedAt(raw: RawValue, [key, ...rest]: readonly string[], value: NewValue): RawValue {
  if (key === undefined) return value;
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const map = new Map(Object.entries(raw));
  return Object.fromEntries(map.set(key, replacedAt(map.get(key) ?? null, rest, value)));
}

/** A scalar as the one before was written: quoted in the same way, plain where that is read as the same. */
function scalarText(value: NewValue, type: unknown, json: boolean): string {
  if (typeof value !== 'string') return String(value);
  if (type === 'QUOTE_SINGLE' && !/[\n\0]/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  const isPlain = /^[\w./][\w./-]*$/.test(value) && plainScalar(value) === value;
  return isPlain && !json && type !== 'QUOTE_DOUBLE' ? value : JSON.stringify(value);
}

function pairAt(text: string, place: FilePlace): Pair | undefined {
  const lineCounter = new LineCounter();
  let found: Pair | undefined;
  visit(parseDocument(text, { schema: 'failsafe', uniqueKeys: false, lineCounter }), {
    Pair(_, pair) {
      const { line, col } = lineCounter.linePos((isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? -1);
      if (line !== place.line || col !== place.column) return undefined;
      found = pair;
      return visit.BREAK;
    },
  });
  return found;
}

function replaced(text: string, { key, value }: Pair, to: NewValue): string {
  const keyEnd = isNode(key) ? (key.range?.[1] ?? 0) : 0;
  const [start, end] = (isNode(value) ? value.range : undefined) ?? [keyEnd, keyEnd];
  const type = isScalar(value) ? value.type : undefined;
  const isEmpty = start === end;
  const at = isEmpty ? text.indexOf(':', keyEnd) + 1 : start;
  // A block scalar ends with its line, other values before it.
  const lineEnd = text.slice(start, end).endsWith('\n') ? '\n' : '';
  const space = isEmpty ? ' ' : '';
  const word = scalarText(to, type, isJson(text));
  return text.slice(0, at) + space + word + lineEnd + text.slice(isEmpty ? at : end);
}

/**
 * The text of an inventory file with another value for the key `name` at `place`; every other byte stays, comments
 * and anchors too. E_INVENTORY where that would change anything else, and for an encrypted value.
 */
export function withVariable(text: string, name: string, value: NewValue, place: FilePlace): string {
  const before = read(text, place.file);
  const paths = pathsTo(before, place);
  const pair = pairAt(text, place);
  const [path] = paths;
  if (before === null || pair === undefined || path === undefined) throw cannot(name, place, 'another key');
  if (isScalar(pair.value) && typeof pair.value.value === 'string' && isEncrypted(pair.value.value)) {
    throw cannot(name, place, 'an encrypted value');
  }
  if (paths.length > 1) throw cannot(name, place, 'a value that is used in several places');
  const after = replaced(text, pair, value);
  if (!isDeepStrictEqual(outcome(after, place.file), replacedAt(toRawValue(before), path, value))) {
    throw cannot(name, place, 'a value that others depend on');
  }
  return after;
}

function outcome(text: string, file: string): RawValue | undefined {
  try {
    const node = read(text, file);
    return node === null ? undefined : toRawValue(node);
  } catch (error) {
    if (isExpected(error)) return undefined;
    throw error;
  }
}

/** The text of a file of variables, empty if there is none, with one more at its end. E_INVENTORY as above. */
export function withAdded(text: string, name: string, value: NewValue, file: string): string {
  const node = read(text, file);
  const before = node === null ? {} : toRawValue(node);
  const lineEnd = text === '' || text.endsWith('\n') ? '' : '\n';
  const after = `${text}${lineEnd}${name}: ${scalarText(value, undefined, false)}\n`;
  if (isDeepStrictEqual(outcome(after, file), replacedAt(before, [name], value))) return after;
  throw cannot(name, { file }, 'a file to which no line can be added');
}
