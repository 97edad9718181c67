import { readFile } from 'node:fs/promises';
import type { FilePlace } from '../errors.ts';
import type { Definitions } from './draft.ts';
import { collectProblems } from './problems.ts';
import type { Problems } from './problems.ts';
import { COMMAND_LINE } from './read.ts';
import { plainScalar } from './scalar.ts';
import { readVariables } from './sections.ts';
import { describe, readYaml } from './yaml.ts';
import type { Entry } from './yaml.ts';

const PLACE: FilePlace = { file: COMMAND_LINE };

/** `port=80 name="a b"`: values are strings, quotes keep spaces. */
function assignments(text: string, problems: Problems): Entry[] {
  const words = text.match(/(?:[^\s"']|"(?:\\.|[^"\\])*"|'[^']*'|["'])+/g) ?? [];
  return words.flatMap((word): Entry[] => {
    const index = word.indexOf('=');
    if (index <= 0) {
      const hint = 'quote a value with spaces, or use JSON: -e \'{"name": "a b"}\'';
      problems.report('an extra variable has no value', {
        place: PLACE,
        found: word,
        expected: 'name=value',
        hint,
      });
      return [];
    }
    const value = word.slice(index + 1).replace(/^(["'])([\s\S]*)\1$/, '$2');
    const key = word.slice(0, index);
    return [{ key, plain: key, place: PLACE, value: { kind: 'scalar', value, place: PLACE } }];
  });
}

async function entries(text: string, problems: Problems): Promise<readonly Entry[]> {
  const file = text.startsWith('@') ? text.slice(1) : null;
  if (file === null && !/^[[{]/.test(text)) {
    if (!/^[/.]/.test(text)) return assignments(text, problems);
    problems.report('the name of a variables file needs a leading @', {
      place: PLACE,
      found: text,
      hint: `write -e @${text}`,
    });
    return [];
  }
  let yaml = text;
  try {
    if (file !== null) yaml = await readFile(file, 'utf8');
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    problems.report('the variables file cannot be read', {
      place: { file: file ?? text },
      found,
      cause: error,
    });
    return [];
  }
  const top = readYaml(yaml, file ?? COMMAND_LINE, problems);
  if (top === null) return [];
  if (top.kind === 'map') return top.entries;
  problems.report('extra variables must be a mapping', {
    place: top.place,
    found: describe(top),
    expected: '{"name": value}',
  });
  return [];
}

/**
 * Variables of `-e`, each `name=value …`, YAML or JSON in braces, or `@FILE`; later ones win. Throws
 * E_VARIABLE.
 */
export async function readExtraVars(texts: readonly string[]): Promise<Definitions> {
  const problems = collectProblems('E_VARIABLE');
  const definitions: Definitions = new Map();
  for (const text of texts) readVariables(await entries(text.trim(), problems), definitions, problems);
  problems.throwAny();
  return definitions;
}

/**
 * The YAML values of `name=value` variables: they are text, as with Ansible, but `6380` may have been meant
 * as a number.
 */
export function readingsOf(
  values: Readonly<Record<string, unknown>>,
  places: ReadonlyMap<string, FilePlace>,
): ReadonlyMap<string, unknown> {
  const isWord = (name: string): boolean => {
    const place = places.get(name);
    return place?.file === COMMAND_LINE && place.line === undefined;
  };
  return new Map(
    Object.entries(values).flatMap(([name, value]): [string, unknown][] => {
      if (typeof value !== 'string' || !isWord(name)) return [];
      try {
        return [[name, plainScalar(value)]];
      } catch (error) {
        // A number that JavaScript cannot hold.
        if (error instanceof RangeError) return [];
        throw error;
      }
    }),
  );
}
