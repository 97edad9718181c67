import type { Attribute } from '../resources/resource.ts';
import type { ChangeEvent } from '../report/event.ts';
import { unifiedDiff } from './diff.ts';
import type { PlannedChange } from './plan.ts';

function shown(value: Attribute | undefined): string | null {
  return value === undefined || value === null ? null : String(value);
}

/** A change as it is reported. `before` is the text of the file that is there, where a diff is wanted. */
export function changeEvent(host: string, change: PlannedChange, before?: Buffer): ChangeEvent {
  const { id, action, attributes, knownAfter, why, resource } = change;
  const text = resource.type.text?.(change.desired).text ?? null;
  const diff =
    text === null || (before === undefined && action !== 'create') ? '' : unifiedDiff(before ?? '', text);
  return {
    type: 'change',
    host,
    role: resource.role,
    resource: id,
    action,
    attributes: attributes.map(({ name, from, to }) => ({ name, from: shown(from), to: shown(to) })),
    ...(diff === '' ? {} : { diff }),
    ...(knownAfter === undefined ? {} : { knownAfter }),
    ...(why === undefined ? {} : { why }),
  };
}
