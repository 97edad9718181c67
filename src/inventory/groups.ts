/** What walking down a group needs of it; both the finished inventory and the one being read have it. */
interface Branch {
  readonly children: readonly string[];
  readonly hosts: readonly string[];
}

/** A group and all below it, level by level, each once. */
export function descendants(groups: ReadonlyMap<string, Branch>, name: string): string[] {
  const found = new Set<string>([name]);
  // A Set is walked while it grows.
  for (const current of found) for (const child of groups.get(current)?.children ?? []) found.add(child);
  return [...found];
}

/** Names of the hosts in a group or below it, in Ansible's order: its own first, then its children's. */
export function hostNames(groups: ReadonlyMap<string, Branch>, name: string): string[] {
  return [...new Set(descendants(groups, name).flatMap((group) => groups.get(group)?.hosts ?? []))];
}
