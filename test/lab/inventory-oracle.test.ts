import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readExtraVars } from '../../src/inventory/extra.ts';
import { matchHosts, selectHosts } from '../../src/inventory/pattern.ts';
import { readInventory } from '../../src/inventory/read.ts';
import { inventoryGraph, inventoryJson } from '../../src/inventory/show.ts';
import { askAnsible } from './ask-ansible.ts';
import type { Answer } from './ask-ansible.ts';

const fixtures = fileURLToPath(new URL('../inventory/fixtures', import.meta.url));
const folders = readdirSync(fixtures).map((name) => join(fixtures, name));
const inventories = [...folders, join(fixtures, 'beside/prod.yml'), join(fixtures, 'folder/20-db.yaml')];

const extraVars = [
  ['domain=given', 'one=1 two="a b"'],
  ['{"a": {"b": [1, 2]}, "yes": true}', 'd=late'],
  ['{c: yes, mode: 0644}'],
];

const patterns: Record<string, readonly string[]> = {
  single: ['all', '*', 'web1', 'web2,web1', 'web?', 'all[0]', 'all[-1]', '!web1', '&web2', '~web[12]$'],
  order: [
    'all',
    'web',
    'db',
    'lb',
    'web:db',
    'db:web',
    'web:&db',
    'web:!db',
    '!db:web',
    'all:!web:!db',
    'web[0]',
    'web[1:2]',
    'web[1:]',
    'web[-2]',
    'web[0:0]',
    'web[1:0]',
    'web[2:1]',
    'web[0-1]',
    'web*',
    'web*[1]',
    '*b1',
    'db1,web1,db1',
    ' web1 , db2 ',
    'web[12]*',
    'web1[0]',
    'web[!1]',
    'w*:&lb',
    'zed:lb',
    '~(web|lb)\\d$',
    '~^db',
    'web[0]:db',
    '*:!~web',
    'ungrouped',
    'l?',
    'web[0:1],!web2',
    'web:&db:!db1',
    'all[2:4]',
    'db[0],db[1]',
  ],
  ranges: [
    'web',
    'app',
    'web:&app',
    'web:!app',
    'web[1:3]',
    'web[0]',
    '10.0.0.*',
    '*.example.com',
    '10.0.0.2',
    'port*',
    'mix?',
  ],
  ports: [
    'all',
    '2001:db8::1',
    '2001:db8::2',
    '192.0.2.7',
    '2001:db8::1,web1',
    'again',
    'web1:web2',
    '~^2001',
  ],
  names: [
    'web-servers',
    'web-1.example.com',
    '*.example.com',
    'größe',
    'm*',
    'Web3',
    '~Web',
    'with.dot',
    'end-',
    '_private',
  ],
  numbers: ['42', '007', '3.14', '42:!3.14', '[0-9]*', '1', '0*'],
  files: ['all', 'web:app', 'app:&web', '*1', 'web:!app', 'lone', 'app[0]', 'app[-1]'],
  folder: ['all', 'eu', 'web', 'eu:!web', 'db,cache'],
  'empty-groups': ['all', 'nobody', 'web:nobody', 'web:!spare', 'unused*', 'web:&nobody', 'nobody[0]'],
  ungrouped: ['all', 'ungrouped', 'un*', 'u*', 'web'],
  scattered: ['web', 'db', 'front', 'web:&front', 'web:!front'],
  diamond: ['left', 'bottom', 'left:&right', 'long', 'b*'],
};

const limits: readonly (readonly [fixture: string, pattern: string, limit: string])[] = [
  ['order', 'all', 'web'],
  ['order', 'web', 'db:lb'],
  ['order', 'db', 'web,!web10'],
  ['order', 'all', '!web'],
  ['order', 'all', `@${fileURLToPath(new URL('../inventory/limit.txt', import.meta.url))}`],
  ['order', 'web', `@${fileURLToPath(new URL('../inventory/limit.txt', import.meta.url))},web10`],
];

const commands = new Map<string, readonly string[]>();
const answers = new Map<string, Answer>();
const key = (...words: string[]): string => words.join('\0');

/** Ansible walks sets of groups, whose order changes from run to run, where groups of one level have children. */
const anyOrder = new Set(['scattered', 'diamond', 'folder']);

for (const path of inventories) {
  commands.set(key('list', path), ['ansible-inventory', '-i', path, '--list']);
  commands.set(key('graph', path), ['ansible-inventory', '-i', path, '--graph']);
}
for (const vars of extraVars) {
  const path = join(fixtures, 'levels');
  const options = vars.flatMap((text) => ['-e', text]);
  commands.set(key('extra', ...vars), ['ansible-inventory', '-i', path, '--list', ...options]);
}
for (const [name, list] of Object.entries(patterns)) {
  for (const pattern of list) {
    commands.set(key('hosts', name, pattern), [
      'ansible',
      '-i',
      join(fixtures, name),
      '--list-hosts',
      '--',
      pattern,
    ]);
  }
}
for (const [name, pattern, limit] of limits) {
  const options = ['-i', join(fixtures, name), '--list-hosts', '--limit', limit];
  commands.set(key('limit', name, pattern, limit), ['ansible', ...options, '--', pattern]);
}

beforeAll(() => {
  const given = askAnsible([...commands.values()]);
  for (const [index, name] of [...commands.keys()].entries()) {
    const answer = given[index];
    if (answer !== undefined) answers.set(name, answer);
  }
});

function answerTo(...words: string[]): string {
  const answer = answers.get(key(...words));
  if (answer?.status !== 0) throw new Error(`ansible fails: ${answer?.stderr ?? 'no answer'}`);
  return answer.stdout;
}

// Later releases of Ansible add a name of the format to `_meta`; it is left out.
const listing = z.looseObject({ _meta: z.object({ hostvars: z.unknown() }) });

function listOf(text: string): unknown {
  return listing.parse(JSON.parse(text));
}

function hostsOf(text: string): string[] {
  const [, ...lines] = text.trimEnd().split('\n');
  return lines.map((line) => line.trim());
}

const inOrder = (name: string, hosts: readonly string[]): readonly string[] =>
  anyOrder.has(name) ? hosts.toSorted() : hosts;

test('there are inventories to compare', () => {
  expect(folders.length).toBeGreaterThanOrEqual(20);
});

describe.each(inventories)('%s', (path) => {
  test('list is that of ansible-inventory', async () => {
    const ours = inventoryJson(await readInventory(path));
    expect(listOf(ours)).toStrictEqual(listOf(answerTo('list', path)));
  });

  test('graph is that of ansible-inventory', async () => {
    expect(inventoryGraph(await readInventory(path))).toBe(answerTo('graph', path));
  });
});

test.each(extraVars)('extra variables %s %s', async (...vars) => {
  const given = vars.filter((text) => text !== undefined);
  const inventory = await readInventory(join(fixtures, 'levels'), { extraVars: await readExtraVars(given) });
  expect(listOf(inventoryJson(inventory))).toStrictEqual(listOf(answerTo('extra', ...given)));
});

describe.each(Object.entries(patterns))('patterns of %s', (name, list) => {
  test.each(list)('%s', async (pattern) => {
    const inventory = await readInventory(join(fixtures, name));
    const ours = matchHosts(inventory, pattern).map((host) => host.name);
    expect(inOrder(name, ours)).toStrictEqual(inOrder(name, hostsOf(answerTo('hosts', name, pattern))));
  });
});

test.each(limits)('%s: %s limited to %s', async (name, pattern, limit) => {
  const inventory = await readInventory(join(fixtures, name));
  const ours = (await selectHosts(inventory, pattern, { limit })).map((host) => host.name);
  expect(ours).toStrictEqual(hostsOf(answerTo('limit', basename(name), pattern, limit)));
});
