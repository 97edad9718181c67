import { HostwrightError } from '../errors.ts';
import { isWithin, removedPaths } from '../resources/path.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import type { Mount } from './mounts.ts';
import type { PlannedChange } from './host-plan.ts';

interface Refusal {
  readonly message: string;
  readonly found: string;
  readonly hint: string;
}

/** Whether what is there gives way to something else, or to nothing. */
function removes({ action, actual, attributes }: PlannedChange): boolean {
  return actual !== null && (action === 'delete' || attributes.some(({ name }) => name === 'kind'));
}

/** A folder with content is removed only if the declaration says so. */
function ofFolder({ type, desired }: DeclaredResource, change: PlannedChange): Refusal | undefined {
  const held = change.attributes.find(({ name }) => name === 'entries')?.from;
  if (held === undefined || type.files?.removesFolder?.(desired) === true) return undefined;
  const path = type.files?.path?.(desired);
  return {
    message: 'a folder with content is at this path',
    found: `${path === undefined ? '' : `${path}: `}entries ${String(held)}`,
    hint:
      type.files?.removesFolder === undefined
        ? 'move the folder away, or remove it'
        : 'move the folder away, or declare "force: true" to remove it with everything in it',
  };
}

function show({ at, what }: Mount): string {
  return `${at}: ${what}`;
}

/** Nobody's mount is emptied, and none that came by hand is taken for what is declared. */
function ofMount(
  { type, desired }: DeclaredResource,
  change: PlannedChange | undefined,
  mounts: readonly Mount[],
): Refusal | undefined {
  const path = type.files?.path?.(desired);
  if (path === undefined) return undefined;
  const over = mounts.findLast(({ at }) => at === path);
  const going =
    change === undefined
      ? []
      : [...(removes(change) ? [path] : []), ...removedPaths(change.resource, change)];
  const inside = mounts.filter(({ at }) => going.some((one) => isWithin(at, one)));
  if (inside.length > 0) {
    return {
      message: 'a file system is mounted in the folder to remove',
      found: inside.map(show).join('\n'),
      hint: `unmount it first, with umount ${inside.at(-1)?.at ?? ''}`,
    };
  }
  if (over === undefined || over.isConfigured) return undefined;
  return {
    message: 'a file system is mounted over this path, and neither /etc/fstab nor a systemd unit mounts it',
    found: show(over),
    hint: `unmount it with umount ${path}; if it belongs there, add it to /etc/fstab ("noauto" if another program mounts it)`,
  };
}

/** E_REFUSED for a resource that cannot be as declared without harm to what nobody declared. */
export function refusal(
  host: string,
  resource: DeclaredResource,
  change: PlannedChange | undefined,
  mounts: readonly Mount[],
): HostwrightError | undefined {
  const found = ofMount(resource, change, mounts) ?? (change && ofFolder(resource, change));
  if (found === undefined) return undefined;
  const { message, ...details } = found;
  return new HostwrightError('E_REFUSED', `${resource.id}: ${message}`, {
    place: { host, resource: resource.id },
    ...details,
  });
}
