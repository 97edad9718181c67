import { nearest } from '../suggestion.ts';
import { parseAddress } from './address.ts';
import { draftGroup, link, wayDown } from './draft.ts';
import type { Definitions, Draft, DraftGroup } from './draft.ts';
import { reportJinja } from './jinja.ts';
import type { Problems } from './problems.ts';
import { RangeProblem, expandRange } from './range.ts';
import { describe, toRawValue } from './yaml.ts';
import type { Entry, Node } from './yaml.ts';

interface Reading {
  readonly draft: Draft;
  readonly problems: Problems;
  readonly file: string;
}

const SECTIONS = ['hosts', 'children', 'vars'];
const MAGIC = new Set(['inventory_hostname', 'inventory_hostname_short', 'group_names', 'groups']);

/** Copies the variables of a mapping into `into`; a later one replaces an earlier one. */
export function readVariables(entries: readonly Entry[], into: Definitions, problems: Problems): void {
  for (const { key, place, value } of entries) {
    if (MAGIC.has(key)) {
      const hint = 'choose another name';
      problems.report(
        `variable ${key} is reserved for Hostwright`,
        { place, found: key, hint },
        'E_VARIABLE',
      );
      continue;
    }
    reportJinja(value, problems);
    into.set(key, { value: toRawValue(value), place });
  }
}

/** A name that YAML reads as a number or boolean, as in `1:` or `on:`; Ansible refuses it too. */
function isName(entry: Entry, what: string, problems: Problems): boolean {
  if (typeof entry.plain === 'string' && entry.plain !== '') return true;
  problems.report(`the name of a ${what} is not a string`, {
    place: entry.place,
    found: entry.plain === null || entry.plain === '' ? 'nothing' : `the ${typeof entry.plain} ${entry.key}`,
    expected: 'a string',
    hint: `put the name in quotes: "${entry.key}"`,
  });
  return false;
}

/** The entries of a section; `hosts` and `children` may be a single name. */
function sectionEntries(group: DraftGroup, section: Entry, problems: Problems): readonly Entry[] {
  const { key, place, value } = section;
  if (value.kind === 'map') return value.entries;
  if (value.kind === 'scalar' && value.value === null) return [];
  if (value.kind === 'scalar' && typeof value.value === 'string' && key !== 'vars') {
    const nothing: Node = { kind: 'scalar', value: null, place: value.place };
    return [{ key: value.value, plain: value.value, place: value.place, value: nothing }];
  }
  const name = key === 'vars' ? 'name: value' : key === 'hosts' ? 'web1:' : 'web:';
  problems.report(`${key} of group ${group.name} must be a mapping`, {
    place: value.kind === 'scalar' ? value.place : place,
    found: describe(value),
    expected: `a mapping, one \`${name}\` per line`,
    hint:
      value.kind === 'list'
        ? `remove the dashes and write \`${name}\``
        : `write \`${name}\` below ${key}:, indented`,
  });
  return [];
}

function readHosts(group: DraftGroup, entry: Entry, reading: Reading): void {
  const { draft, problems } = reading;
  const { key, place, value } = entry;
  if (!isName(entry, 'host', problems)) return;
  if (/[\s,|]/.test(key)) {
    const hint = /=/.test(key)
      ? 'put each variable on its own line below the host, like `ansible_host: 192.0.2.1`'
      : 'write one host per line, without spaces and commas';
    problems.report('a host name contains a space, comma or bar', {
      place,
      found: key,
      expected: 'a name such as web1',
      hint,
    });
    return;
  }
  const address = parseAddress(key) ?? { host: key, port: null };
  let names: string[];
  try {
    names = expandRange(address.host);
  } catch (error) {
    if (!(error instanceof RangeProblem)) throw error;
    problems.report(error.message, { place, found: error.found, expected: error.expected, hint: error.hint });
    return;
  }
  const vars: Definitions = new Map();
  if (value.kind === 'map') readVariables(value.entries, vars, problems);
  else if (value.kind === 'list' || value.value !== null) {
    problems.report(`the value of host ${key} must be its variables`, {
      place: value.place,
      found: describe(value),
      expected: 'a mapping of variables, or nothing',
      hint: 'write `ansible_host: 192.0.2.1` on its own line below the host, indented',
    });
  }
  for (const name of names) {
    const known = draft.hosts.get(name);
    const host = known ?? { name, vars: new Map(), place };
    draft.hosts.set(name, host);
    // Ansible uses the port only at the first occurrence of the host.
    if (known === undefined && address.port) host.vars.set('ansible_port', { value: address.port, place });
    for (const [variable, definition] of vars) host.vars.set(variable, definition);
    group.hosts.add(name);
  }
}

function readChild(parent: DraftGroup, entry: Entry, reading: Reading): void {
  const { draft, problems } = reading;
  if (!isName(entry, 'group', problems)) return;
  const child = draftGroup(draft, entry.key, entry.place);
  const circle = child.name === 'all' ? ['all'] : wayDown(draft, child.name, parent.name);
  if (circle === null) {
    link(parent, child);
  } else {
    problems.report(`group ${child.name} cannot be a child of ${parent.name}`, {
      place: entry.place,
      found: child.name === 'all' ? 'all as a child' : [parent.name, ...circle].join(' → '),
      expected: 'groups without a cycle',
      hint: `remove ${child.name} from the children of ${parent.name}`,
    });
  }
  readGroup(child, entry.value, reading);
}

function readGroupVariables(group: DraftGroup, entries: readonly Entry[], problems: Problems): void {
  readVariables(entries, group.vars, problems);
  const priority = group.vars.get('ansible_group_priority');
  if (priority === undefined) return;
  group.vars.delete('ansible_group_priority');
  const number =
    typeof priority.value === 'string' ? Number(priority.value.trim() || Number.NaN) : priority.value;
  if (typeof number === 'number' && Number.isInteger(number)) {
    group.priority = number;
    return;
  }
  problems.report('ansible_group_priority is not a whole number', {
    place: priority.place,
    found: JSON.stringify(priority.value),
    expected: 'a whole number; 1 is the default',
    hint: 'the group with the higher number wins',
  });
}

function reportSection(group: DraftGroup, section: Entry, problems: Problems): void {
  const [meant] = nearest(section.key, SECTIONS);
  const guess = {
    host: 'hosts',
    childs: 'children',
    child: 'children',
    groups: 'children',
    variables: 'vars',
  }[section.key];
  const suggestion = guess ?? meant;
  problems.report(`unknown key ${section.key} in group ${group.name}`, {
    place: section.place,
    found: section.key,
    expected: 'hosts, children or vars',
    hint:
      suggestion === undefined
        ? 'put hosts below `hosts:`, groups below `children:`, variables below `vars:`'
        : `did you mean "${suggestion}"`,
  });
}

function readGroup(group: DraftGroup, value: Node, reading: Reading): void {
  const { problems } = reading;
  if (value.kind !== 'map') {
    if (value.kind === 'scalar' && value.value === null) return;
    problems.report(`group ${group.name} is not a group definition`, {
      place: value.place,
      found: describe(value),
      expected: 'a mapping with hosts, children or vars, or nothing',
      hint: 'write `hosts:` below the group, and below it one `web1:` per line, without dashes',
    });
    return;
  }
  for (const section of value.entries) {
    if (!SECTIONS.includes(section.key)) {
      reportSection(group, section, problems);
      continue;
    }
    const entries = sectionEntries(group, section, problems);
    if (section.key === 'vars') readGroupVariables(group, entries, problems);
    for (const one of entries) {
      if (section.key === 'hosts') readHosts(group, one, reading);
      if (section.key === 'children') readChild(group, one, reading);
    }
  }
}

/** Adds what one inventory file says to the draft. */
export function readSections(top: Node, reading: Reading): void {
  const { problems } = reading;
  if (top.kind !== 'map') {
    const ini =
      top.kind === 'scalar' || (top.kind === 'list' && top.items.every((item) => item.kind === 'scalar'));
    problems.report('the file is not a YAML inventory', {
      place: top.place,
      found: describe(top),
      expected: 'a mapping of groups, such as `all:` with `hosts:` below it',
      hint: ini
        ? `convert an INI inventory with \`ansible-inventory -i ${reading.file} --list --yaml --export --output hosts.yml\``
        : 'start the file with `all:`',
    });
    return;
  }
  const plugin = top.entries.find((entry) => entry.key === 'plugin');
  if (plugin !== undefined) {
    const hint = `convert it to YAML with \`ansible-inventory -i ${reading.file} --list --yaml --export --output hosts.yml\``;
    problems.report('inventory plugins are not supported', {
      place: plugin.place,
      found: describe(plugin.value),
      hint,
    });
    return;
  }
  const stray = top.entries.filter((entry) => SECTIONS.includes(entry.key));
  for (const entry of top.entries) {
    if (stray.includes(entry) || !isName(entry, 'group', problems)) continue;
    readGroup(draftGroup(reading.draft, entry.key, entry.place), entry.value, reading);
  }
  for (const { key, place } of stray) {
    const hint = `put a group above it, such as \`all:\`, and indent ${key}:`;
    problems.report(`${key} is outside of a group`, {
      place,
      found: `${key} as a group`,
      expected: 'groups',
      hint,
    });
  }
}
