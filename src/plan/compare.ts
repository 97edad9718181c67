import { isSecret } from '../secrets/secret.ts';
import type { ResourceType } from '../resources/resource.ts';
import type { Attribute, AttributeChange, Difference, State } from '../resources/state.ts';

function isSame(a: Attribute | undefined, b: Attribute | undefined): boolean {
  if (isSecret(a) && isSecret(b)) return a.reveal() === b.reveal();
  return a === b;
}

/** What goes with a folder in the place of something else, or with what is removed. */
const ofRemoved = ['entries'];

/** That, and what others may do with a path beyond its mode. */
const undeclared = [...ofRemoved, 'acl', 'capabilities'];

function leaving(actual: State | null, names: readonly string[]): readonly AttributeChange[] {
  return names.flatMap((name) => {
    const from = actual?.[name];
    return from === undefined ? [] : [{ name, from, to: undefined }];
  });
}

/** The difference between what a resource should be and what it is; `undefined` when there is none. */
export function compare<Desired extends object>(
  type: ResourceType<Desired>,
  desired: Desired,
  actual: State | null,
): Difference | undefined {
  const want = type.want(desired);
  if (want === null) {
    if (actual === null) return undefined;
    return {
      action: 'delete',
      attributes: leaving(actual, [...ofRemoved, ...(type.comparison?.leaving ?? [])]),
    };
  }
  const differing = Object.entries(want)
    .filter(([name, value]) => value !== undefined && !isSame(value, actual?.[name]))
    .map(([name, to]): AttributeChange => ({ name, from: actual?.[name], to }));
  const surplus =
    type.comparison?.exact === true ? Object.entries(actual ?? {}).filter(([name]) => !(name in want)) : [];
  const attributes = [
    ...differing,
    ...surplus.map(([name, from]): AttributeChange => ({ name, from, to: undefined })),
    ...leaving(actual, undeclared),
  ];
  if (actual !== null && attributes.length === 0) return undefined;
  const action = type.comparison?.action?.(attributes, actual) ?? (actual === null ? 'create' : 'update');
  return { action, attributes };
}
