import type { FilePlace } from '../errors.ts';
import { depths, groupsOfHosts } from './draft.ts';
import type { Definitions, Draft, DraftGroup, DraftHost } from './draft.ts';
import type { Group, Host, RawVariables } from './model.ts';

/** Variables of `group_vars/`, `host_vars/` and the command line. */
export interface Besides {
  readonly groups: ReadonlyMap<string, Definitions>;
  readonly hosts: ReadonlyMap<string, Definitions>;
  readonly extra: Definitions;
}

const NONE: Definitions = new Map();

function rawVariables(definitions: Definitions): RawVariables {
  return Object.fromEntries([...definitions].map(([name, { value }]) => [name, value]));
}

function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/**
 * Ansible's order of groups: by depth, then `ansible_group_priority`, then name. A later group's
 * variables win over an earlier one's.
 */
function groupOrder(draft: Draft): (one: DraftGroup, other: DraftGroup) => number {
  const depth = depths(draft);
  return (one, other) =>
    (depth.get(one.name) ?? 0) - (depth.get(other.name) ?? 0) ||
    one.priority - other.priority ||
    byCodePoint(one.name, other.name);
}

/** All definitions for a host, later ones win: files beside the inventory over the inventory. */
function layers(
  host: DraftHost,
  groups: readonly DraftGroup[],
  all: DraftGroup | undefined,
  besides: Besides,
): Definitions[] {
  return [
    all?.vars ?? NONE,
    ...groups.map((group) => group.vars),
    besides.groups.get('all') ?? NONE,
    ...groups.map((group) => besides.groups.get(group.name) ?? NONE),
    host.vars,
    besides.hosts.get(host.name) ?? NONE,
    besides.extra,
  ];
}

/** The hosts of a draft with their groups and variables. */
export function settleHosts(draft: Draft, besides: Besides): Map<string, Host> {
  const order = groupOrder(draft);
  const memberships = groupsOfHosts(draft);
  const hosts = new Map<string, Host>();
  for (const host of draft.hosts.values()) {
    const names = memberships.get(host.name) ?? new Set();
    const groups = [...draft.groups.values()]
      .filter((group) => group.name !== 'all' && names.has(group.name))
      .toSorted(order);
    const merged: Definitions = new Map();
    for (const layer of layers(host, groups, draft.groups.get('all'), besides)) {
      for (const [name, definition] of layer) merged.set(name, definition);
    }
    const places = new Map<string, FilePlace>([...merged].map(([name, { place }]) => [name, place]));
    hosts.set(host.name, {
      name: host.name,
      groups: groups.map((group) => group.name),
      vars: rawVariables(merged),
      places,
      file: host.place.file,
    });
  }
  return hosts;
}

export function settleGroups(draft: Draft, besides: Besides): Map<string, Group> {
  const merge = (group: DraftGroup): Group => ({
    name: group.name,
    children: group.children,
    hosts: [...group.hosts],
    vars: { ...rawVariables(group.vars), ...rawVariables(besides.groups.get(group.name) ?? NONE) },
  });
  return new Map([...draft.groups.values()].map((group) => [group.name, merge(group)]));
}
