import type { ChangeEvent } from '../plan/event.ts';

/** Changes of one role that are the same on all of `hosts`. */
export interface ChangeGroup {
  readonly hosts: readonly string[];
  readonly role: string;
  readonly changes: readonly ChangeEvent[];
}

interface SameChange {
  readonly change: ChangeEvent;
  readonly hosts: string[];
}

function signature(change: ChangeEvent): string {
  const { role, resource, action, cause, attributes, diff, knownAfter, why } = change;
  return JSON.stringify([role, resource, action, cause, attributes, diff, knownAfter, why]);
}

/** Items by key, in the order in which the keys first occur. */
export function gather<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, Item[]> {
  const gathered = new Map<string, Item[]>();
  for (const item of items) {
    const group = gathered.get(key(item));
    if (group === undefined) gathered.set(key(item), [item]);
    else group.push(item);
  }
  return gathered;
}

/**
 * The changes of a plan by role, and within a role by the hosts that share them; each change appears once.
 * Roles, host lists and changes come in the order in which they were first named.
 */
export function groupChanges(changes: readonly ChangeEvent[]): readonly ChangeGroup[] {
  const groups: ChangeGroup[] = [];
  for (const [role, ofRole] of gather(changes, (change) => change.role)) {
    const same: SameChange[] = [];
    for (const equal of gather(ofRole, signature).values()) {
      const [change] = equal;
      if (change !== undefined) same.push({ change, hosts: [...new Set(equal.map(({ host }) => host))] });
    }
    for (const shared of gather(same, ({ hosts }) => JSON.stringify(hosts.toSorted())).values()) {
      groups.push({ hosts: shared[0]?.hosts ?? [], role, changes: shared.map(({ change }) => change) });
    }
  }
  return groups;
}
