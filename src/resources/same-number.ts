import { sh, type Script } from '../transport/shell.ts';
import { removeUser } from './former-user.ts';
import type { ApplyContext } from './step.ts';

export const nobodyElse = 'nothing';

/** Of all accounts, those with the number of `name` that are not `allowed` to have it: in the eyes of the kernel all are one user. */
export function sharing(
  name: string,
  uid: string | undefined,
  accounts: readonly (readonly string[])[],
  allowed: readonly string[],
): string {
  const same = accounts.flatMap(([other = '', number]) => (number === uid ? [other] : []));
  const others = same.filter((other) => other !== name && !allowed.includes(other));
  return [...new Set(others)].toSorted().join(',') || nobodyElse;
}

/** Removes whom `sharing` has found with the number of a user. Who is declared has it by mistake, and stays. */
export function removeSharing(
  found: string,
  { name, uid }: { readonly name: string; readonly uid?: number | undefined },
  host: ApplyContext,
): readonly Script[] {
  if (uid === undefined || found === nobodyElse) return [];
  const declared = new Set([...host.declared('user'), 'root']);
  return found
    .split(',')
    .map((other) =>
      declared.has(other)
        ? sh`echo ${`${other} has the number ${uid} of ${name}: declare the uid of ${other}`} >&2; exit 1`
        : removeUser(other, host.declared('group').includes(other)),
    );
}
