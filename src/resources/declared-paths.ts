import { ancestors, pathOf, readAt } from './path.ts';
import type { DeclaredPaths, DeclaredResource } from './resource.ts';
import type { ResourceId } from './state.ts';

function pathsOf(resource: DeclaredResource): readonly string[] {
  const { type, desired } = resource;
  const own = pathOf(resource);
  return [
    ...(own === undefined ? [] : [own]),
    ...readAt(resource),
    ...(type.files?.alsoOwns?.(desired) ?? []),
  ];
}

function membershipsOf({ type, desired }: DeclaredResource): readonly string[] {
  return (type.access?.memberOf?.(desired) ?? []).map((group) => `${group} ${type.key(desired)}`);
}

/** The paths of `resources`, which are all of a host; collected once a type asks. */
export function declaredPaths(resources: readonly DeclaredResource[]): DeclaredPaths {
  let own: ReadonlySet<string> | undefined;
  let above: ReadonlySet<string> | undefined;
  let ids: ReadonlySet<ResourceId> | undefined;
  let members: ReadonlySet<string> | undefined;
  const owned = (): ReadonlySet<string> => (own ??= new Set(resources.flatMap(pathsOf)));
  return {
    owns: (path) => owned().has(path),
    ownsBelow: (path) => (above ??= new Set([...owned()].flatMap(ancestors))).has(path),
    hasMember: (group, account) =>
      (members ??= new Set(resources.flatMap(membershipsOf))).has(`${group} ${account}`),
    declares: (id) => (ids ??= new Set(resources.map((resource) => resource.id))).has(id),
  };
}
