import { z } from 'zod';
import { HostwrightError, HostwrightErrors, type FilePlace } from '../errors.ts';
import { schemaProblems } from '../schema-problems.ts';
import { didYouMean } from '../suggestion.ts';
import type { Role } from './role.ts';

/** The variables of a host after references and secrets are resolved, and where each is defined. */
export interface HostVariables {
  readonly values: Readonly<Record<string, unknown>>;
  readonly places: ReadonlyMap<string, FilePlace>;
  /** The YAML values of text from the command line. */
  readonly readings: ReadonlyMap<string, unknown>;
}

/** Variables that Hostwright itself reads, besides the `ansible_` ones. */
export const builtinVariables: readonly string[] = ['private_address'];

/** A role with `z.looseObject` accepts every variable, for an inventory that other tools read too. */
function isLoose(role: Role): boolean {
  return role.variables.def.catchall instanceof z.ZodUnknown;
}

/** Errors for variables that no role reads; most of them are misspelt. */
export function unknownVariables(
  variables: HostVariables,
  roles: readonly Role[],
): readonly HostwrightError[] {
  if (roles.some(isLoose)) return [];
  const known = new Set([...builtinVariables, ...roles.flatMap((role) => Object.keys(role.variables.shape))]);
  return Object.keys(variables.values)
    .filter((name) => !known.has(name) && !name.startsWith('ansible_'))
    .map((name) => {
      const place = variables.places.get(name);
      return new HostwrightError('E_VARIABLE', `no role reads the variable ${name}`, {
        place,
        hint: didYouMean(name, known) ?? 'remove it, or declare it in the "variables" of a role',
      });
    });
}

/** A value of the command line is text; if the role does not accept text, it is read as YAML. */
function asTaken(role: Role, name: string, value: unknown, { readings }: HostVariables): unknown {
  const schema = role.variables.shape[name];
  if (!readings.has(name) || !(schema instanceof z.ZodType) || schema.safeParse(value).success) return value;
  const reading = readings.get(name);
  return schema.safeParse(reading).success ? reading : value;
}

/** The checked variables of a role, with defaults. Throws all errors as E_VARIABLE. */
export function roleVariables(host: string, role: Role, variables: HostVariables): Record<string, unknown> {
  const own = isLoose(role)
    ? variables.values
    : Object.fromEntries(
        Object.entries(variables.values)
          .filter(([name]) => name in role.variables.shape)
          .map(([name, value]) => [name, asTaken(role, name, value, variables)]),
      );
  const parsed = role.variables.safeParse(own);
  if (parsed.success) return parsed.data;
  throw new HostwrightErrors(
    schemaProblems(role.variables, own, parsed.error).map((problem) => {
      const path = [...problem.path, ...(problem.unknownKey === undefined ? [] : [problem.unknownKey])];
      const [name] = path;
      const place = name === undefined ? undefined : variables.places.get(name);
      const isMissing = name !== undefined && !(name in variables.values);
      const description = name === undefined ? undefined : role.variables.shape[name]?.description;
      return new HostwrightError(
        'E_VARIABLE',
        isMissing
          ? `the role ${role.name} needs the variable ${name}`
          : `invalid value for ${path.join('.')} (role ${role.name})`,
        {
          ...(place === undefined ? (isMissing ? {} : { place: { host } }) : { place }),
          expected: problem.unknownKey === undefined ? problem.expected : `keys: ${problem.expected}`,
          hint: isMissing
            ? `set it in group_vars${description === undefined ? '' : `: ${description}`}`
            : (problem.hint ??
              (name !== undefined && variables.readings.has(name)
                ? `-e ${name}=… is text; for another type use JSON: -e '{"${name}": …}'`
                : `see roles/${role.name}/README.md`)),
        },
      );
    }),
  );
}
