import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { matchHosts } from '../../src/inventory/pattern.ts';
import { readInventory } from '../../src/inventory/read.ts';
import { inventoryJson } from '../../src/inventory/show.ts';
import { askAnsible } from './ask-ansible.ts';

const folder = mkdtempSync(join(tmpdir(), 'hostwright-generated-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const groupNames = ['a', 'b', 'c', 'd', 'e', 'f'];
const hostNames = ['h1', 'h2', 'h3', 'h4', 'h5'];
const names = (of: readonly string[]): fc.Arbitrary<string[]> => fc.subarray([...of], { maxLength: 3 });
const variables = names(['v', 'w', 'x', 'y']);

/** The parts of one mention of a group; `below` is kept to later letters, so that there is no circle. */
const mention = fc.record({
  name: fc.constantFrom('all', 'ungrouped', ...groupNames),
  below: names(groupNames),
  hosts: names(hostNames),
  vars: variables,
  hostVars: variables,
  priority: fc.option(fc.integer({ min: 0, max: 3 })),
});

const generated = fc.record({
  files: fc.array(fc.uniqueArray(mention, { selector: ({ name }) => name, minLength: 1 }), {
    minLength: 1,
    maxLength: 3,
  }),
  groupFiles: fc.dictionary(fc.constantFrom('all', ...groupNames), variables, { maxKeys: 4 }),
  hostFiles: fc.dictionary(fc.constantFrom(...hostNames), variables, { maxKeys: 2 }),
});
type Generated = typeof generated extends fc.Arbitrary<infer T> ? T : never;
type Mention = Generated['files'][number][number];

/** The children that are written for a group. */
function childrenOf({ name, below }: Pick<Mention, 'name' | 'below'>): readonly string[] {
  return name === 'ungrouped' ? [] : below.filter((child) => name === 'all' || child > name);
}

/** Groups and hosts that there are. */
function mentionedIn(mentions: readonly Mention[]): ReadonlySet<string> {
  return new Set(['all', ...mentions.flatMap((one) => [one.name, ...childrenOf(one), ...one.hosts])]);
}

/** Every definition has a value of its own, so that a wrong winner shows. */
function write(path: string, { files, groupFiles, hostFiles }: Generated): void {
  let count = 0;
  const define = (list: readonly string[]): Record<string, number> =>
    Object.fromEntries(list.map((name) => [name, ++count]));
  const group = ({ hosts, vars, hostVars, priority, ...rest }: Mention): object => ({
    hosts: Object.fromEntries(hosts.map((host) => [host, define(hostVars)])),
    vars: { ...define(vars), ...(priority === null ? {} : { ansible_group_priority: priority }) },
    children: Object.fromEntries(childrenOf(rest).map((child) => [child, null])),
  });
  for (const part of ['group_vars', 'host_vars']) mkdirSync(join(path, part), { recursive: true });
  files.forEach((mentions, index) => {
    writeFileSync(
      join(path, `${index}.yml`),
      stringify(Object.fromEntries(mentions.map((one) => [one.name, group(one)]))),
    );
  });
  const written = mentionedIn(files.flat());
  // Variables for others are errors, which Ansible passes over.
  const known = (of: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(of).filter(([name]) => written.has(name));
  for (const [name, vars] of known(groupFiles))
    writeFileSync(join(path, `group_vars/${name}.yml`), stringify(define(vars)));
  for (const [name, vars] of known(hostFiles))
    writeFileSync(join(path, `host_vars/${name}.yml`), stringify(define(vars)));
}

const listing = z.looseObject({ _meta: z.object({ hostvars: z.unknown() }) });
const patterns = ['a:b', 'all:!c', 'a:&b:!h1', 'h[12]*,d', '~[ce]'];

test('inventories made at random are read as Ansible reads them', async () => {
  const paths = fc.sample(generated, { seed: 20_240_601, numRuns: 60 }).map((inventory, index) => {
    const path = join(folder, String(index));
    write(path, inventory);
    return path;
  });
  const commands = paths.flatMap((path, index) => [
    ['ansible-inventory', '-i', path, '--list'],
    ['ansible', '-i', path, '--list-hosts', '--', patterns[index % patterns.length] ?? 'all'],
  ]);
  const answers = askAnsible(commands);
  let compared = 0;
  for (const [index, path] of paths.entries()) {
    const [list, hosts] = answers.slice(2 * index);
    const inventory = await readInventory(path);
    const ours: unknown = listing.parse(JSON.parse(inventoryJson(inventory)));
    expect(ours, path).toStrictEqual(listing.parse(JSON.parse(list?.stdout ?? '')));
    // Where a part of the pattern is unknown Ansible only warns and Hostwright refuses.
    if (/Could not match/.test(hosts?.stderr ?? '')) continue;
    const named = matchHosts(inventory, patterns[index % patterns.length] ?? 'all').map(({ name }) => name);
    const [, ...lines] = (hosts?.stdout ?? '').trimEnd().split('\n');
    // Sorted: Ansible walks sets of groups, whose order changes from run to run.
    expect(named.toSorted(), path).toStrictEqual(lines.map((line) => line.trim()).toSorted());
    compared += 1;
  }
  expect(compared).toBeGreaterThan(10);
});
