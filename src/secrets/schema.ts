import { z } from 'zod';
import { Secret, isSecret } from './secret.ts';

/** Generates the value of an unset secret, on the controller. */
export type Generate = () => Promise<string>;

export interface SecretOptions {
  /** Called when the variable is not set; the value is stored encrypted in the inventory. */
  readonly generate?: Generate;
}

type SecretSchema = z.ZodType<Secret, string | Secret>;

// The registry, unlike a WeakMap, knows a schema again after .describe() and .refine().
const generators = z.registry<{ readonly generate: unknown }>();

/**
 * The schema of a secret variable: accepts a string or a Secret, returns a Secret. With `generate`, an unset
 * variable gets a generated value once: `secret({ generate: async () => randomPassword() })`.
 */
export function secret(options: SecretOptions = {}): SecretSchema {
  const given = z.custom<string | Secret>((value) => typeof value === 'string' || isSecret(value), {
    error: 'expected text; quote a number',
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
