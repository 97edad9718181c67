import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isScalar, parseDocument, type Document, type Pair, type YAMLMap } from 'yaml';
import { HostwrightError } from '../errors.ts';

interface Variables {
  readonly map: YAMLMap | undefined;
  /** Every variable as text, lists and maps of texts. */
  readonly values: ReadonlyMap<string, unknown>;
}

/** The top level of a file of variables; E_SECRET where it is no block mapping. */
function variablesOf(text: string, file: string): Variables {
  // Failsafe: every scalar is its text, so that comparing does not depend on how a reader takes `0644`.
  const document = parseDocument(text, { schema: 'failsafe' });
  const { contents } = document;
  if (document.errors.length === 0) {
    if (contents === null || (isScalar(contents) && contents.source === '')) {
      return { map: undefined, values: new Map() };
    }
    const values = valuesOf(document);
    if (isMap(contents) && contents.flow !== true && values) return { map: contents, values };
  }
  throw new HostwrightError('E_SECRET', 'the variables file cannot be changed', {
    place: { file },
    expected: 'YAML with `name: value` lines',
    hint: 'fix the file, or move its variables to another one',
  });
}

function valuesOf(document: Document): ReadonlyMap<string, unknown> | undefined {
  try {
    return new Map(Object.entries(document.toJS() ?? {}));
  } catch {
    // An alias without its anchor shows only here.
    return undefined;
  }
}

function pairOf(map: YAMLMap | undefined, name: string): Pair | undefined {
  return map?.items.find(({ key }) => isScalar(key) && key.value === name);
}

/** Whether a file of variables sets `name` at its top level. */
export function hasEntry(text: string, name: string, file: string): boolean {
  return variablesOf(text, file).values.has(name);
}

/** What a file of variables sets `name` to: a text, or lists and maps of texts; undefined where it does not. */
export function entryOf(text: string, name: string, file: string): unknown {
  return variablesOf(text, file).values.get(name);
}

/** Sets `name` to a plain word (no blanks) in the text of a file of variables; every other byte stays. */
export function withEntry(text: string, name: string, value: string, file: string): string {
  const before = variablesOf(text, file);
  const pair = pairOf(before.map, name);
  const changed = pair ? replaced(text, pair, `${name}: ${value}`) : appended(text, `${name}: ${value}`);
  if (isDeepStrictEqual(outcome(changed, file), new Map(before.values).set(name, value))) return changed;
  throw new HostwrightError('E_SECRET', `${name} cannot be set without changing other variables`, {
    place: { file },
    hint: `remove ${name} from the file, or move it to a separate file, and set it again`,
  });
}

function outcome(text: string, file: string): ReadonlyMap<string, unknown> | undefined {
  try {
    return variablesOf(text, file).values;
  } catch {
    return undefined;
  }
}

function replaced(text: string, { key, value }: Pair, line: string): string {
  const start = isNode(key) ? (key.range?.[0] ?? 0) : 0;
  const end =
    (isNode(value) ? value.range?.[1] : undefined) ?? (isNode(key) ? key.range?.[1] : undefined) ?? start;
  // A block scalar (`|`) ends with its line, other values before it.
  const lineEnd = text.slice(start, end).endsWith('\n') ? '\n' : '';
  return text.slice(0, start) + line + lineEnd + text.slice(end);
}

function appended(text: string, line: string): string {
  const lineEnd = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${lineEnd}${line}\n`;
}
