import { z } from 'zod';
import { Secret, isSecret } from './secret.ts';

/** Makes the value of a secret that nobody set, on the controller. */
export type Generate = () => Promise<string>;

export interface SecretOptions {
  /** Called when the variable is set nowhere; the value is kept encrypted in the inventory. */
  readonly generate?: Generate;
}

type SecretSchema = z.ZodType<Secret, string | Secret>;

// The registry, unlike a WeakMap, knows a schema again after .describe() and .refine().
const generators = z.registry<{ readonly generate: unknown }>();

/**
 * The schema of a secret variable: takes a string or a Secret, gives a Secret. With `generate` a value is
 * made once where nobody sets one: `secret({ generate: async () => randomPassword() })`.
 */
export function secret(options: SecretOptions = {}): SecretSchema {
  const given = z.custom<string | Secret>((value) => typeof value === 'string' || isSecret(value), {
    error: 'expected a text; put a number into quotes',
  });
  const schema: SecretSchema = given.transform((value) => (isSecret(value) ? value : new Secret(value)));
  if (options.generate !== undefined) generators.add(schema, { generate: options.generate });
  return schema;
}

/** The generator of a `secret()`, also inside `.optional()`, `.default()`, `.describe()` and their kin. */
export function generatorOf(schema: z.ZodType): Generate | undefined {
  const own = generators.get(schema)?.generate;
  if (isGenerate(own)) return own;
  const { def } = schema;
  if ('innerType' in def && def.innerType instanceof z.ZodType) return generatorOf(def.innerType);
  if ('in' in def && def.in instanceof z.ZodType) return generatorOf(def.in);
  return undefined;
}

function isGenerate(value: unknown): value is Generate {
  return typeof value === 'function';
}
