import { z } from 'zod';
import { HostwrightError, HostwrightErrors } from '../errors.ts';
import { plainScalar } from '../inventory/scalar.ts';
import { schemaProblems } from '../schema-problems.ts';

/** An argument of an action as an option of the command line. */
export interface ArgumentOption {
  /** The name in the schema: `keepOld`. */
  readonly name: string;
  /** `--keep-old`. */
  readonly flag: string;
  readonly description: string;
  readonly isRequired: boolean;
  /** It takes no value. */
  readonly isSwitch: boolean;
}

export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('_', '-')}`;
}

function accepts(schema: z.ZodType, value: unknown): boolean {
  return schema.safeParse(value).success;
}

/** The options that a schema of arguments makes. */
export function argumentOptions(schema: z.ZodObject): readonly ArgumentOption[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    if (!(field instanceof z.ZodType)) return [];
    return {
      ...{ name, flag: flagOf(name), description: field.description ?? '' },
      isRequired: !accepts(field, undefined),
      isSwitch: accepts(field, true) && !accepts(field, 'text'),
    };
  });
}

/** Text of the command line, or what YAML makes of it where the schema takes no text. */
function asTaken(field: unknown, given: unknown): unknown {
  if (typeof given !== 'string' || !(field instanceof z.ZodType) || accepts(field, given)) return given;
  try {
    const read = plainScalar(given);
    return accepts(field, read) ? read : given;
  } catch {
    return given;
  }
}

/** The checked arguments, with defaults. E_USAGE for all that is wrong with them. */
export function checkArguments(
  schema: z.ZodObject,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const taken = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, asTaken(schema.shape[name], value)]),
  );
  const parsed = schema.safeParse(taken);
  if (parsed.success) return parsed.data;
  throw new HostwrightErrors(
    schemaProblems(schema, taken, parsed.error).map(({ path: [name = ''], expected, hint }) => {
      const isMissing = !(name in taken);
      const field: unknown = schema.shape[name];
      const description = field instanceof z.ZodType ? field.description : undefined;
      return new HostwrightError(
        'E_USAGE',
        isMissing ? `${flagOf(name)} is missing` : `invalid value for ${flagOf(name)}`,
        { ...(isMissing ? {} : { found: String(taken[name]) }), expected, hint: hint ?? description },
      );
    }),
  );
}
