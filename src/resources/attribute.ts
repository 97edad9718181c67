import { z } from 'zod';
import { isSecret, type Secret } from '../secrets/secret.ts';

/** A Secret; `accepts` looks at its value, which no error message ever shows. */
export function secretValue(expected: string, accepts: (value: string) => boolean = () => true) {
  return z
    .custom<Secret>((value) => isSecret(value) && accepts(value.reveal()), expected)
    .meta({
      title: 'Secret',
    });
}

/** Text of one line: configuration formats that go by lines would read a second one as something else. */
export function isOneLine(text: string): boolean {
  return /^[^\n\0]*$/.test(text);
}

export const oneLine = z.string().refine(isOneLine, 'expected a single line');

/** A command and its words, run without a shell. */
export const argv = z.array(z.string().refine((word) => !word.includes('\0'), 'expected no NUL')).nonempty();

/** The name of a user or a group, as useradd and groupadd take it. */
export const accountName = z
  .string()
  .regex(/^[a-z_][a-z0-9_.-]{0,31}$/, 'expected a name of lower-case letters, digits, ".", "_" and "-"');

/** The highest number of a user or a group; the one above it stands for none. */
const highestId = 2 ** 32 - 2;

/** Whether a user or a group is named by its number. */
export function isId(owner: string): boolean {
  return /^\d+$/.test(owner);
}

/** Whom a path belongs to: by name, or by number, which may have no name. */
export const ownerName = z
  .string()
  .regex(/^(?![-+])[^\s:\p{Cc}]+$/u, 'expected the name or the number of a user or a group')
  .refine((owner) => !isId(owner) || Number(owner) <= highestId, `expected a number up to ${highestId}`)
  .transform((owner) => (isId(owner) ? String(Number(owner)) : owner));

/** For chown, to which the digits of a name would be the name first. */
export function ownership({ owner, group }: { readonly owner: string; readonly group: string }): string {
  return [owner, group].map((one) => (isId(one) ? `+${one}` : one)).join(':');
}
