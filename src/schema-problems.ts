import { z } from 'zod';
import { didYouMean } from './suggestion.ts';

/** One problem that a schema found. */
export interface SchemaProblem {
  /** Where in the value: names and indexes, the outermost first. */
  readonly path: readonly string[];
  /** The key that the schema does not have, in the object at `path`. */
  readonly unknownKey?: string;
  readonly expected: string;
  readonly hint?: string;
}

/** The metadata of the schema at a path, unwrapped. */
function schemasAt(schema: unknown, path: readonly PropertyKey[]): readonly z.ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => schemasAt(option, path));
  if (schema instanceof z.ZodPipe) return schemasAt(schema.in, path);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly
  ) {
    return schemasAt(schema.unwrap(), path);
  }
  const [step, ...rest] = path;
  if (step === undefined) return schema instanceof z.ZodType ? [schema] : [];
  if (schema instanceof z.ZodObject) return schemasAt(schema.shape[String(step)], rest);
  if (schema instanceof z.ZodArray) return schemasAt(schema.element, rest);
  if (schema instanceof z.ZodRecord) return schemasAt(schema.valueType, rest);
  return [];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const step of path) {
    if (typeof inner !== 'object' || inner === null) return undefined;
    inner = new Map(Object.entries(inner)).get(String(step));
  }
  return inner;
}

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  return schemasAt(schema, path).flatMap((one) => (one instanceof z.ZodObject ? Object.keys(one.shape) : []));
}

function hinted(hint: string | undefined): Pick<SchemaProblem, 'hint'> {
  return hint === undefined ? {} : { hint };
}

/** For a union zod only says that nothing matched: the expectations of its members say more. */
function expectedBy(issue: z.core.$ZodIssue): string {
  // It follows the word "expected".
  const said = issue.message.replace(/^(?:Invalid input: )?expected /, '');
  if (issue.code === 'invalid_key') return issue.issues.map(expectedBy).join(', and ');
  if (issue.code !== 'invalid_union' || said !== 'Invalid input') return said;
  const members = issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectedBy(first)]));
  return members.length === 0 ? said : [...new Set(members)].join(', or ');
}

/** The problems that `schema` finds in `value`, as messages. */
export function schemaProblems(
  schema: z.ZodType,
  value: unknown,
  error: z.ZodError,
): readonly SchemaProblem[] {
  return error.issues.flatMap((issue): readonly SchemaProblem[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(schema, issue.path);
      return issue.keys.map((unknownKey) => ({
        path,
        unknownKey,
        expected: known.join(', '),
        ...hinted(didYouMean(unknownKey, known)),
      }));
    }
    const given = valueAt(value, issue.path);
    const near =
      issue.code === 'invalid_value' && typeof given === 'string'
        ? didYouMean(given, issue.values.map(String))
        : undefined;
    return [{ path, expected: expectedBy(issue), ...hinted(near) }];
  });
}
