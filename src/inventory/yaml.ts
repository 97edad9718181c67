import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node as YamlNode, Scalar, YAMLError, YAMLMap } from 'yaml';
import type { FilePlace } from '../errors.ts';
import type { RawValue } from './model.ts';
import type { Problems } from './problems.ts';
import { plainScalar } from './scalar.ts';
import type { Plain } from './scalar.ts';

/** A value of a YAML file together with where it stands. */
export type Node =
  | { readonly kind: 'scalar'; readonly value: Plain; readonly place: FilePlace }
  | { readonly kind: 'list'; readonly items: readonly Node[]; readonly place: FilePlace }
  | { readonly kind: 'map'; readonly entries: readonly Entry[]; readonly place: FilePlace };

export interface Entry {
  /** As JSON would write it where the key is not a string: `80`, `true`. */
  readonly key: string;
  /** The key as YAML reads it. */
  readonly plain: Plain;
  /** Where the key stands. */
  readonly place: FilePlace;
  readonly value: Node;
}

interface Reading {
  readonly document: Document.Parsed;
  readonly place: (offset: number) => FilePlace;
  readonly problems: Problems;
  /** The text is JSON, whose scalars Ansible reads by JSON's rules. */
  readonly json: boolean;
  /** Nodes on the way down, to notice an alias that holds itself. */
  readonly open: Set<YamlNode>;
}

const SYNTAX_HINTS: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'indent with spaces: replace the tab',
  BAD_INDENT: 'indent all keys of a mapping alike',
  MULTIPLE_DOCS: 'write one document per file: remove the second `---`',
  MISSING_CHAR: 'close the quote or bracket, or add the missing colon',
  BLOCK_AS_IMPLICIT_KEY: 'quote a value that contains `: `, and check the indentation',
  MULTILINE_IMPLICIT_KEY: 'add the missing colon after a key, or correct the indentation of a value',
  UNEXPECTED_TOKEN: 'quote a value that begins with {, [, *, &, !, %, @ or `',
  BAD_ALIAS: 'quote a value that begins with * or &',
  BAD_SCALAR_START: 'quote a value that begins with @ or `',
};

/** `a list of 3`, `the string "x"`: the `found` of an error. */
export function describe(node: Node): string {
  if (node.kind === 'list') return `a list of ${node.items.length}`;
  if (node.kind === 'map') return 'a mapping';
  if (node.value === null) return 'nothing';
  const text = JSON.stringify(node.value);
  return `the ${typeof node.value} ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`;
}

export function toRawValue(node: Node): RawValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toRawValue);
  return Object.fromEntries(node.entries.map((entry) => [entry.key, toRawValue(entry.value)]));
}

function scalarValue(node: Scalar, reading: Reading, place: FilePlace): Plain {
  // The failsafe schema gives every scalar as its text.
  const text = typeof node.value === 'string' ? node.value : '';
  const tag = node.tag;
  if (tag === '!vault' || tag === '!vault-encrypted') {
    reading.problems.report('a value is encrypted with ansible-vault', {
      place,
      found: tag,
      expected: "a plain value, or one encrypted with Hostwright's own secrets",
      hint: 'store it with `hostwright secrets set` and remove the vault block',
    });
    return null;
  }
  if (tag === '!unsafe') {
    reading.problems.report('the tag !unsafe is not supported', {
      place,
      found: tag,
      expected: 'a plain value',
      hint: 'remove the tag, and write \\{{ for literal braces',
    });
    return null;
  }
  const known = ['str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`);
  if (tag !== undefined && tag !== '!' && !known.includes(tag)) {
    reading.problems.report('unsupported YAML tag', { place, found: tag, hint: 'remove the tag' });
    return null;
  }
  if (tag === '!' || tag === 'tag:yaml.org,2002:str') return text;
  if (node.type !== 'PLAIN' && tag === undefined) return text;
  try {
    if (!reading.json) return plainScalar(text);
    const value: unknown = JSON.parse(text);
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new RangeError('a number of more than 53 bits');
    }
    return typeof value === 'number' || typeof value === 'boolean' ? value : null;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const hint = `write it as a string, "${text}"`;
    reading.problems.report('the number has too many digits to be exact', { place, found: text, hint });
    return null;
  }
}

function keyText(plain: Plain): string {
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** The entries of `<<: *defaults`; the mapping's own keys win over them, and the first merge over later ones. */
function mergedEntries(value: Node, reading: Reading): Entry[] {
  if (value.kind === 'map') return [...value.entries];
  if (value.kind === 'list' && value.items.every((item) => item.kind === 'map')) {
    return value.items.flatMap((item) => mergedEntries(item, reading));
  }
  const hint = 'write `<<: *name`, where &name marks a mapping';
  reading.problems.report('only mappings can be merged with <<', {
    place: value.place,
    found: describe(value),
    hint,
  });
  return [];
}

function mapEntries(map: YAMLMap, reading: Reading): Entry[] {
  const own = new Map<string, Entry>();
  const merged: Entry[] = [];
  for (const { key, value } of map.items) {
    const place = reading.place(offsetOf(key));
    const keyNode = toNode(key, reading, place);
    const valueNode = toNode(value, reading, place);
    if (keyNode.kind !== 'scalar') {
      const hint = 'quote a value that begins with { or [, such as "{{ name }}"';
      reading.problems.report('a key is not a plain value', { place, found: describe(keyNode), hint });
      continue;
    }
    if (keyNode.value === '<<' && isScalar(key) && key.type === 'PLAIN') {
      merged.push(...mergedEntries(valueNode, reading));
      continue;
    }
    const text = keyText(keyNode.value);
    const first = own.get(text);
    if (first === undefined) {
      own.set(text, { key: text, plain: keyNode.value, place, value: valueNode });
      continue;
    }
    const expected = `each key once; the first is in line ${first.place.line ?? 0}`;
    const hint = 'remove one of the two, or merge their values';
    reading.problems.report(`duplicate key ${text}`, {
      place,
      found: `${text} a second time`,
      expected,
      hint,
    });
  }
  const entries = new Map<string, Entry>();
  for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
  for (const [key, entry] of own) entries.set(key, entry);
  return [...entries.values()];
}

function toNode(given: unknown, reading: Reading, fallback: FilePlace): Node {
  const node = isAlias(given) ? given.resolve(reading.document) : given;
  if (!isNode(node)) return { kind: 'scalar', value: null, place: fallback };
  const place = reading.place(offsetOf(given));
  if (reading.open.has(node)) {
    reading.problems.report('an alias refers to itself', { place, hint: 'remove the alias' });
    return { kind: 'scalar', value: null, place };
  }
  reading.open.add(node);
  try {
    if (isMap(node)) return { kind: 'map', entries: mapEntries(node, reading), place };
    if (isSeq(node)) {
      return { kind: 'list', items: node.items.map((item) => toNode(item, reading, place)), place };
    }
    if (isScalar(node)) return { kind: 'scalar', value: scalarValue(node, reading, place), place };
    return { kind: 'scalar', value: null, place };
  } finally {
    reading.open.delete(node);
  }
}

/** Whether a text is JSON, whose scalars Ansible reads by JSON's rules. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function reportSyntax(error: YAMLError, reading: Reading): void {
  const [problem] = error.message.split('\n');
  const hint =
    SYNTAX_HINTS[error.code] ?? 'check the indentation and the quotes of this line and the one above';
  const message = (problem ?? error.message).replace(/ at line \d+, column \d+:?$/, '').replace(/\.$/, '');
  reading.problems.report(`not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`, {
    place: reading.place(error.pos[0]),
    hint,
    cause: error,
  });
}

/**
 * Reads one YAML 1.1 or JSON document as Ansible does, every problem going to `problems`. Gives null where
 * the file is empty or not YAML at all.
 */
export function readYaml(text: string, file: string, problems: Problems): Node | null {
  if (text.startsWith('$ANSIBLE_VAULT;')) {
    problems.report('the file is encrypted with ansible-vault', {
      place: { file, line: 1, column: 1 },
      expected: "plain YAML, with single values encrypted by Hostwright's own secrets",
      hint: 'decrypt it with `ansible-vault decrypt`, then store each secret with `hostwright secrets set`',
    });
    return null;
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    // Scalars are resolved in plainScalar: the package's own YAML 1.1 differs from PyYAML's.
    schema: 'failsafe',
    merge: false,
    uniqueKeys: false,
    lineCounter,
    // `silent` would also hide that there are several documents.
    logLevel: 'error',
  });
  const place = (offset: number): FilePlace => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const reading: Reading = { document, place, problems, json: isJson(text), open: new Set() };
  for (const error of document.errors) reportSyntax(error, reading);
  if (document.errors.length > 0 || document.contents === null) return null;
  const node = toNode(document.contents, reading, place(0));
  return node.kind === 'scalar' && node.value === null ? null : node;
}
