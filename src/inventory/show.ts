import { HostwrightError } from '../errors.ts';
import { didYouMean } from '../suggestion.ts';
import { hostNames } from './groups.ts';
import type { Host, Inventory, RawValue } from './model.ts';

// What ansible-inventory leaves out of a host's variables.
const INTERNAL = new Set([
  'ansible_diff_mode',
  'ansible_config_file',
  'ansible_facts',
  'ansible_forks',
  'ansible_inventory_sources',
  'ansible_limit',
  'ansible_playbook_python',
  'ansible_run_tags',
  'ansible_skip_tags',
  'ansible_verbosity',
  'ansible_version',
  'inventory_dir',
  'inventory_file',
  'inventory_hostname',
  'inventory_hostname_short',
  'groups',
  'group_names',
  'omit',
  'playbook_dir',
]);

type Json = RawValue | undefined;

function sorted(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: RawValue) => sorted(item) ?? null);
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item) ?? null]));
}

function hostVars(host: Host): Record<string, RawValue> {
  return Object.fromEntries(Object.entries(host.vars).filter(([name]) => !INTERNAL.has(name)));
}

/** What `ansible-inventory --list` prints: groups, and the variables of hosts below `_meta`. */
export function inventoryJson(inventory: Inventory): string {
  const top: Record<string, RawValue> = {};
  for (const group of inventory.groups.values()) {
    const hosts = group.name === 'all' ? [] : group.hosts;
    const entry = {
      ...(group.children.length === 0 ? {} : { children: group.children }),
      ...(hosts.length === 0 ? {} : { hosts }),
    };
    if (Object.keys(entry).length > 0) top[group.name] = entry;
  }
  const hostvars: Record<string, RawValue> = {};
  for (const name of hostNames(inventory.groups, 'all')) {
    const host = inventory.hosts.get(name);
    const vars = host === undefined ? {} : hostVars(host);
    if (Object.keys(vars).length > 0) hostvars[name] = vars;
  }
  return `${JSON.stringify(sorted({ ...top, _meta: { hostvars } }), null, 4)}\n`;
}

function branch(text: string, depth: number): string {
  return depth === 0 ? text : `${'  |'.repeat(depth)}--${text}`;
}

function graphLines(inventory: Inventory, name: string, depth: number): string[] {
  const group = inventory.groups.get(name);
  if (group === undefined) return [];
  const hosts = name === 'all' ? [] : group.hosts;
  return [
    branch(`@${name}:`, depth),
    ...group.children.flatMap((child) => graphLines(inventory, child, depth + 1)),
    ...hosts.map((host) => branch(host, depth + 1)),
  ];
}

/** What `ansible-inventory --graph` prints, from `top` down. Throws E_PATTERN for an unknown group. */
export function inventoryGraph(inventory: Inventory, top = 'all'): string {
  if (!inventory.groups.has(top)) {
    const names = [...inventory.groups.keys()];
    const hint = didYouMean(top, names) ?? `groups: ${names.join(', ')}`;
    throw new HostwrightError('E_PATTERN', `the inventory has no group ${top}`, {
      found: top,
      expected: 'a group',
      hint,
    });
  }
  return `${graphLines(inventory, top, 0).join('\n')}\n`;
}

function address(host: Host): string {
  const { ansible_host: name = host.name, ansible_port: port } = host.vars;
  const where = typeof name === 'string' ? name : host.name;
  if (typeof port !== 'string' && typeof port !== 'number') return where;
  return where.includes(':') ? `[${where}]:${port}` : `${where}:${port}`;
}

/** A line a host for people: name, address, groups. */
export function hostTable(hosts: readonly Host[]): string {
  const rows = hosts.map((host) => [host.name, address(host), host.groups.join(' ')] as const);
  const width = (column: 0 | 1): number => Math.max(0, ...rows.map((row) => row[column].length));
  const [names, addresses] = [width(0), width(1)];
  const text = rows.map(
    ([name, where, groups]) => `${name.padEnd(names)}  ${where.padEnd(addresses)}  ${groups}`,
  );
  return text.map((row) => `${row.trimEnd()}\n`).join('');
}
