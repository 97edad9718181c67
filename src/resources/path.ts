import { dirname } from 'node:path/posix';
import { z } from 'zod';
import type { ResourceId } from './resource.ts';

/** An absolute path without `.`, `..`, doubled or trailing slashes and NUL. */
export const path = z
  .string()
  .regex(
    /^(\/|(\/(?!\.{1,2}(\/|$))[^/\0]+)+)$/,
    'expected an absolute path without "..", "//" or a slash at its end',
  );

/** A file mode as four octal digits in quotes. YAML and JavaScript read a bare 0644 as another number. */
export const mode = z
  .string({
    error:
      'expected a string of octal digits, such as "0644" (a bare number is read differently by every language)',
  })
  .regex(/^[0-7]{3,4}$/, 'expected three or four octal digits, such as "0644"')
  .transform((digits) => digits.padStart(4, '0'));

/** The directories above a path, the nearest first, without the root. */
export function ancestors(below: string): readonly string[] {
  const above = dirname(below);
  return above === '/' ? [] : [above, ...ancestors(above)];
}

/** True when `inner` is `outer` or lies below it. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

/** What a path with an owner and a group comes after, where these are declared. */
export function ownedPathAfter(desired: {
  path: string;
  owner?: string | undefined;
  group?: string | undefined;
}): readonly ResourceId[] {
  const owners: ResourceId[] = [];
  if (desired.owner !== undefined) owners.push(`user:${desired.owner}`);
  if (desired.group !== undefined) owners.push(`group:${desired.group}`, `user:${desired.group}`);
  return [...owners, ...ancestors(desired.path).map((above): ResourceId => `directory:${above}`)];
}
