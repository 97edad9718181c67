import type { Attribute, AttributeChange, ResourceId } from '../resources/state.ts';
import type { ChangeEvent } from './event.ts';
import type { Cause } from './cause.ts';
import { unifiedDiff } from './diff.ts';
import type { PlannedDrain } from './drain.ts';
import type { PlannedChange } from './host-plan.ts';

function shown(value: Attribute | undefined): string | null {
  return value === undefined || value === null ? null : String(value);
}

/** Of something new, what every new one has in common tells nothing. */
function isTelling({ action, resource }: PlannedChange, { name, from }: AttributeChange): boolean {
  const isImplied = action === 'create' && from === undefined;
  return !isImplied || resource.type.comparison?.implied?.includes(name) !== true;
}

/** Why, in words for people. */
function reasonOf({ unreadable, isTriggered }: PlannedChange): string | undefined {
  if (unreadable !== undefined) return `cannot be read: ${unreadable}`;
  return isTriggered === true ? 'its configuration changes' : undefined;
}

/** What the host said beside the states of its resources. */
export interface Background {
  /** Of the files that are there, where a diff is wanted. */
  readonly texts: ReadonlyMap<ResourceId, Buffer>;
  /** What a person should know of a change before it is made. */
  readonly remarks: ReadonlyMap<ResourceId, string>;
}

/** A change as it is reported. */
export function changeEvent(
  host: string,
  change: PlannedChange,
  cause: Cause,
  { texts, remarks }: Background,
  drain?: PlannedDrain,
): ChangeEvent {
  const { id, action, attributes, knownAfter, resource, takesUp } = change;
  const why = reasonOf(change) ?? remarks.get(id);
  const before = texts.get(id);
  const text = resource.type.files?.text?.(change.desired) ?? null;
  const diff =
    text === null || (before === undefined && action !== 'create') ? '' : unifiedDiff(before ?? '', text);
  return {
    type: 'change',
    host,
    role: resource.role,
    resource: id,
    action,
    ...cause,
    attributes: attributes
      .filter((attribute) => isTelling(change, attribute))
      .map(({ name, from, to }) => ({ name, from: shown(from), to: shown(to) })),
    ...(diff === '' ? {} : { diff }),
    ...(knownAfter === undefined ? {} : { knownAfter }),
    ...(takesUp === undefined ? {} : { takesUp }),
    ...(why === undefined ? {} : { why }),
    ...(drain?.changes.has(id) === true ? { drains: drain.drain.noticed + drain.drain.ended } : {}),
  };
}
