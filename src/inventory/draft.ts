import type { FilePlace } from '../errors.ts';
import type { RawValue } from './model.ts';

/** One definition of a variable. */
export interface Definition {
  readonly value: RawValue;
  readonly place: FilePlace;
}
export type Definitions = Map<string, Definition>;

export interface DraftGroup {
  readonly name: string;
  readonly children: string[];
  readonly parents: string[];
  readonly hosts: Set<string>;
  readonly vars: Definitions;
  /** `ansible_group_priority` of the inventory files; among groups of one depth the higher wins. */
  priority: number;
  /** Where it is first named; the built-in groups have no place. */
  readonly place: FilePlace | undefined;
}

export interface DraftHost {
  readonly name: string;
  readonly vars: Definitions;
  readonly place: FilePlace;
}

/** An inventory while its files are read. */
export interface Draft {
  readonly groups: Map<string, DraftGroup>;
  readonly hosts: Map<string, DraftHost>;
}

export function draftGroup(draft: Draft, name: string, place?: FilePlace): DraftGroup {
  const known = draft.groups.get(name);
  if (known !== undefined) return known;
  const group: DraftGroup = {
    name,
    children: [],
    parents: [],
    hosts: new Set(),
    vars: new Map(),
    priority: 1,
    place,
  };
  draft.groups.set(name, group);
  return group;
}

export function newDraft(): Draft {
  const draft: Draft = { groups: new Map(), hosts: new Map() };
  link(draftGroup(draft, 'all'), draftGroup(draft, 'ungrouped'));
  return draft;
}

export function link(parent: DraftGroup, child: DraftGroup): void {
  if (parent.children.includes(child.name)) return;
  parent.children.push(child.name);
  child.parents.push(parent.name);
}

/** The groups on the path from `from` down to `to`, both included; null when `to` is not below. */
export function wayDown(draft: Draft, from: string, to: string): string[] | null {
  const ways = new Map<string, string[]>([[from, [from]]]);
  for (const [name, way] of ways) {
    if (name === to) return way;
    for (const child of draft.groups.get(name)?.children ?? []) {
      if (!ways.has(child)) ways.set(child, [...way, child]);
    }
  }
  return null;
}

/** A group and all above it. */
function withAncestors(draft: Draft, names: readonly string[]): Set<string> {
  const found = new Set(names);
  for (const name of found) for (const parent of draft.groups.get(name)?.parents ?? []) found.add(parent);
  return found;
}

/** The groups of each host, itself or through children, `all` included, in no order. */
export function groupsOfHosts(draft: Draft): Map<string, Set<string>> {
  const direct = new Map<string, string[]>([...draft.hosts.keys()].map((host) => [host, []]));
  for (const group of draft.groups.values())
    for (const host of group.hosts) direct.get(host)?.push(group.name);
  return new Map([...direct].map(([host, names]) => [host, withAncestors(draft, names)]));
}

/** Makes every group a descendant of `all` and puts hosts without a group of their own in `ungrouped`. */
export function reconcile(draft: Draft): void {
  const all = draftGroup(draft, 'all');
  const ungrouped = draftGroup(draft, 'ungrouped');
  for (const group of draft.groups.values())
    if (group !== all && group.parents.length === 0) link(all, group);
  for (const [host, groups] of groupsOfHosts(draft)) {
    const own = [...groups].some((name) => name !== 'all' && name !== 'ungrouped');
    if (own) ungrouped.hosts.delete(host);
    else ungrouped.hosts.add(host);
  }
}

/** The depth of each group: the longest way down to it from `all`. */
export function depths(draft: Draft): Map<string, number> {
  const known = new Map<string, number>();
  const depth = (name: string): number => {
    const parents = draft.groups.get(name)?.parents ?? [];
    const value = known.get(name) ?? Math.max(-1, ...parents.map(depth)) + 1;
    known.set(name, value);
    return value;
  };
  for (const name of draft.groups.keys()) depth(name);
  return known;
}
