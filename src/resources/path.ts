import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { isId } from './attribute.ts';
import type { Planned, Requirement } from './capabilities/order.ts';
import type { DeclaredResource } from './resource.ts';
import type { Change, ResourceId, State } from './state.ts';

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

/** Whether a folder that holds something may give way. */
export const force = z
  .boolean()
  .default(false)
  .describe('Replaces a folder at this path with everything in it. Default: only an empty folder');

/** The directories above a path, the nearest first, without the root. */
export function ancestors(below: string): readonly string[] {
  const above = dirname(below);
  return above === '/' ? [] : [above, ...ancestors(above)];
}

/** True when `inner` is `outer` or lies below it. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

/** What a path with an owner and a group comes after, where these are declared, beside what is above it. */
export function ownersAfter(desired: {
  owner?: string | undefined;
  group?: string | undefined;
}): readonly ResourceId[] {
  const owners: ResourceId[] = [];
  if (desired.owner !== undefined) owners.push(`user:${desired.owner}`);
  if (desired.group !== undefined) owners.push(`group:${desired.group}`, `user:${desired.group}`);
  return owners;
}

/** Who must be there to own something; numbers need nobody. */
export function ownersRequired({ owner, group }: { owner: string; group: string }): readonly Requirement[] {
  const all: readonly Requirement[] = [
    { kind: 'user', name: owner },
    { kind: 'group', name: group },
  ];
  return all.filter(({ name }) => name !== 'root' && !isId(name));
}

/** The directory that a path is made in; `/` is always there. */
export function folderRequired(path: string): readonly Requirement[] {
  return dirname(path) === '/' ? [] : [{ kind: 'directory', name: dirname(path) }];
}

/** `/etc/systemd/system/app@.service` provides `app@1.service`, `/etc/init.d/app` provides `app.service`. */
export function providesUnit(path: string, unit: string): boolean {
  const file = basename(path);
  return file !== '' && [unit, unit.replace(/@[^.]*/, '@'), unit.replace(/\.service$/, '')].includes(file);
}

/** The path that a resource owns, where it owns one. */
export function pathOf({ type, desired }: DeclaredResource): string | undefined {
  return type.files?.path?.(desired);
}

/** What one goes through to get to a path. */
export function above(path: string): readonly ResourceId[] {
  return ancestors(path).flatMap((at): ResourceId[] => [`directory:${at}`, `link:${at}`]);
}

/** What was there gives way to something else, or a link will lead somewhere else. */
export function replaces(change: Change | undefined): boolean {
  return (
    change !== undefined &&
    change.actual !== null &&
    (change.action === 'delete' || change.attributes.some(({ name }) => name === 'kind' || name === 'to'))
  );
}

/** The paths that a change removes in the folder of a resource. */
export function removedPaths({ type }: DeclaredResource, change: Change): readonly string[] {
  return (type.files?.removes?.(change) ?? []).map((bytes) => Buffer.from(bytes).toString('utf8'));
}

/** Where the state of a resource is read. */
export function readAt({ type, desired }: DeclaredResource): readonly string[] {
  const { files } = type;
  return files?.readAt?.(desired) ?? (files?.path === undefined ? [] : [files.path(desired)]);
}

/** What is seen below a path that is to be replaced will not be seen there any more. */
export function isGoing(path: string, planned: Planned): boolean {
  return above(path).some((id) => replaces(planned(id)));
}

/** The number that a user or a group leaves behind on what it owned, when it gets another one. */
function formerNumber(change: Change | undefined, attribute: 'uid' | 'gid'): string | undefined {
  const from = change?.attributes.find(({ name }) => name === attribute)?.from;
  return from === undefined || from === null ? undefined : String(from);
}

/** What belonged to somebody who gets another number still belongs to the former one. */
export function foreseeOwners<Found extends State>(
  desired: { readonly owner: string; readonly group: string },
  state: Found | null,
  planned: Planned,
): Found | null {
  if (state === null) return null;
  const { owner, group } = desired;
  const uid = state['owner'] === owner ? formerNumber(planned(`user:${owner}`), 'uid') : undefined;
  const gid = state['group'] === group ? formerNumber(planned(`group:${group}`), 'gid') : undefined;
  return {
    ...state,
    ...(uid === undefined ? {} : { owner: uid }),
    ...(gid === undefined ? {} : { group: gid }),
  };
}
