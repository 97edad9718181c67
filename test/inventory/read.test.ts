import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatPlace } from '../../src/errors.ts';
import { readInventory } from '../../src/inventory/read.ts';
import { failures } from './failure.ts';
import { tree } from './tree.ts';

async function failuresOf(
  files: Readonly<Record<string, string>>,
  path = '',
): Promise<ReturnType<typeof failures>> {
  const folder = tree(files);
  return await failures(() => readInventory(join(folder, path)), folder);
}

describe('what is read', () => {
  test('hosts know their groups in the order of precedence, and groups their hosts', async () => {
    const folder = tree({
      'hosts.yml':
        'all:\n  children:\n    zone:\n      children:\n        web:\n          hosts: { web1: , web2: }\n    extra:\n      hosts: { web1: }\n',
    });
    const { hosts, groups } = await readInventory(folder);
    expect([...hosts.keys()]).toStrictEqual(['web1', 'web2']);
    expect(hosts.get('web1')?.groups).toStrictEqual(['extra', 'zone', 'web']);
    expect([...groups.keys()]).toStrictEqual(['all', 'ungrouped', 'zone', 'web', 'extra']);
    expect(groups.get('zone')).toMatchObject({ children: ['web'], hosts: [] });
  });

  test('every variable knows where its winning definition stands', async () => {
    const folder = tree({
      'hosts.yml': 'all:\n  vars:\n    a: 1\n    b: 1\n    c: 1\n  hosts:\n    web1:\n      b: 2\n',
      'group_vars/all.yml': '# first\nd: 3\n',
      'host_vars/web1/main.yml': 'c:\n  deep: 4\n',
    });
    const { hosts } = await readInventory(folder, {
      extraVars: new Map([['e', { value: 5, place: { file: '--extra-vars' } }]]),
    });
    const web1 = hosts.get('web1');
    expect(web1?.vars).toStrictEqual({ a: 1, b: 2, c: { deep: 4 }, d: 3, e: 5 });
    const places = [...(web1?.places ?? [])].map(([name, place]) => [
      name,
      formatPlace(place).replace(`${folder}/`, ''),
    ]);
    expect(Object.fromEntries(places)).toStrictEqual({
      a: 'hosts.yml:3:5',
      b: 'hosts.yml:8:7',
      c: 'host_vars/web1/main.yml:1:1',
      d: 'group_vars/all.yml:2:1',
      e: '--extra-vars',
    });
  });

  test('deeper groups win, then priority, then the later name; files over the inventory, hosts over groups', async () => {
    const folder = tree({
      'hosts.yml': [
        'all: { vars: { a: all, b: all, c: all, d: all, e: all, f: all } }',
        'outer: { vars: { b: outer, c: outer }, children: { inner: { hosts: { h: { f: host } }, vars: { c: inner } } } }',
        'red: { hosts: { h: }, vars: { ansible_group_priority: 2, b: red, c: red, d: red } }',
        'tan: { hosts: { h: }, vars: { b: tan, d: tan } }',
        '',
      ].join('\n'),
      'group_vars/all.yml': 'e: all file\nf: all file\n',
      'host_vars/h.yml': 'g: host file\n',
    });
    const { hosts } = await readInventory(folder);
    expect(hosts.get('h')?.vars).toStrictEqual({
      a: 'all',
      b: 'red',
      c: 'inner',
      d: 'red',
      e: 'all file',
      f: 'host',
      g: 'host file',
    });
  });

  test('values are YAML 1.1 as Ansible reads it', async () => {
    const text =
      'all: { hosts: { h: { a: yes, b: 0644, c: y, d: 1e3, e: 08, f: 1:30, g: "yes", h: 0o17, i: ~, j: 1_000 } } }\n';
    const { hosts } = await readInventory(join(tree({ 'hosts.yml': text }), 'hosts.yml'));
    expect(hosts.get('h')?.vars).toStrictEqual({
      a: true,
      b: 420,
      c: 'y',
      d: '1e3',
      e: '08',
      f: 90,
      g: 'yes',
      h: '0o17',
      i: null,
      j: 1000,
    });
  });
});

const hosts = (below: string): string => `all:\n  hosts:\n    web1:\n${below}`;

describe('what is wrong is said with its place', () => {
  const cases: readonly (readonly [title: string, text: string, failure: Record<string, unknown>])[] = [
    [
      'a misspelt section',
      'all:\n  host:\n    web1:\n',
      {
        at: 'hosts.yml:2:3',
        message: 'unknown key host in group all',
        found: 'host',
        expected: 'hosts, children or vars',
        hint: 'did you mean "hosts"',
      },
    ],
    ['childs', 'all:\n  childs:\n    web:\n', { at: 'hosts.yml:2:3', hint: 'did you mean "children"' }],
    [
      'a host in the place of a section',
      'all:\n  web1:\n',
      { at: 'hosts.yml:2:3', hint: expect.stringContaining('put hosts below `hosts:`') },
    ],
    [
      'a section without a group',
      'hosts:\n  web1:\n',
      { at: 'hosts.yml:1:1', hint: expect.stringContaining('such as `all:`') },
    ],
    [
      'hosts as a list',
      'all:\n  hosts:\n    - web1\n',
      { at: 'hosts.yml:2:3', found: 'a list of 1', hint: expect.stringContaining('remove the dashes') },
    ],
    ['variables as a text', 'all:\n  vars: domain\n', { at: 'hosts.yml:2:9', found: 'the string "domain"' }],
    [
      'a group that is a list',
      'web: [web1]\n',
      { at: 'hosts.yml:1:6', message: 'group web is not a group definition' },
    ],
    ['an inventory that is a list', '- web1\n- web2\n', { at: 'hosts.yml:1:1', found: 'a list of 2' }],
    [
      'a host with a value',
      'all:\n  hosts:\n    web1: 192.0.2.1\n',
      {
        at: 'hosts.yml:3:11',
        found: 'the string "192.0.2.1"',
        hint: expect.stringContaining('ansible_host'),
      },
    ],
    [
      'INI within YAML',
      'all:\n  hosts:\n    web1 ansible_host=192.0.2.1:\n',
      { at: 'hosts.yml:3:5', hint: expect.stringContaining('on its own line') },
    ],
    [
      'a number as a host',
      'all:\n  hosts:\n    42:\n',
      { at: 'hosts.yml:3:5', found: 'the number 42', hint: 'put the name in quotes: "42"' },
    ],
    ['a boolean as a group', 'on:\n  hosts:\n    a:\n', { at: 'hosts.yml:1:1', found: 'the boolean true' }],
    [
      'a range without an end',
      'all:\n  hosts:\n    web[1:]:\n',
      { at: 'hosts.yml:3:5', message: 'a host range is malformed', found: '[1:]' },
    ],
    [
      'a range that is not closed',
      'all:\n  hosts:\n    "web[1:3":\n',
      { at: 'hosts.yml:3:5', message: 'a host range lacks a bracket' },
    ],
    [
      'a range backwards',
      'all:\n  hosts:\n    web[3:1]:\n',
      { at: 'hosts.yml:3:5', hint: 'swap the two ends' },
    ],
    [
      'a padded range of two lengths',
      'all:\n  hosts:\n    web[01:100]:\n',
      { at: 'hosts.yml:3:5', hint: 'write both ends with 3 digits' },
    ],
    [
      'a circle of groups',
      'a:\n  children:\n    b:\n      children:\n        c:\n          children:\n            a:\n',
      { at: 'hosts.yml:7:13', found: 'c → a → b → c', message: 'group a cannot be a child of c' },
    ],
    ['a group in itself', 'a:\n  children:\n    a:\n', { at: 'hosts.yml:3:5', found: 'a → a' }],
    ['all as a child', 'a:\n  children:\n    all:\n', { at: 'hosts.yml:3:5', found: 'all as a child' }],
    [
      'a duplicate key',
      'all:\n  hosts:\n    web1:\n    web2:\n    web1:\n',
      {
        at: 'hosts.yml:5:5',
        message: 'duplicate key web1',
        expected: 'each key once; the first is in line 3',
      },
    ],
    [
      'a tab',
      'all:\n\thosts:\n',
      { at: expect.stringMatching(/^hosts\.yml:2:/), hint: expect.stringContaining('tab') },
    ],
    [
      'a quote left open',
      hosts('      a: "b\n'),
      { at: expect.stringMatching(/^hosts\.yml:/), message: expect.stringContaining('not valid YAML') },
    ],
    [
      'two documents',
      'all:\n---\nweb:\n',
      { at: 'hosts.yml:2:1', hint: expect.stringContaining('one document') },
    ],
    [
      'a vault value',
      hosts('      a: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6162\n'),
      { at: 'hosts.yml:4:17', hint: expect.stringContaining('hostwright secrets') },
    ],
    ['an unknown tag', hosts('      a: !mine b\n'), { at: 'hosts.yml:4:16', found: '!mine' }],
    [
      'a number beyond 53 bits',
      hosts('      a: 12345678901234567890\n'),
      { at: 'hosts.yml:4:10', hint: 'write it as a string, "12345678901234567890"' },
    ],
    [
      'braces without quotes',
      hosts('      a: {{ b }}\n'),
      { at: expect.stringMatching(/^hosts\.yml:4:/), hint: expect.stringContaining('"{{ name }}"') },
    ],
    [
      'a priority that is no number',
      'web:\n  vars:\n    ansible_group_priority: high\n',
      { at: 'hosts.yml:3:5', found: '"high"' },
    ],
    [
      'a name for a host and a group',
      'web:\n  hosts:\n    web:\n',
      { at: 'hosts.yml:3:5', message: 'web is both a host and a group' },
    ],
    [
      'a name that is set anyway',
      hosts('      inventory_hostname: x\n'),
      { code: 'E_VARIABLE', at: 'hosts.yml:4:7' },
    ],
    [
      'an inventory plugin',
      'plugin: aws_ec2\n',
      { at: 'hosts.yml:1:1', message: 'inventory plugins are not supported' },
    ],
    [
      'an inventory script',
      '#!/bin/sh\necho {}\n',
      { at: 'hosts.yml:1:1', message: 'inventory scripts are not supported' },
    ],
    [
      'INI',
      '# web\nweb1\n\n[web:children]\nx\n',
      { at: 'hosts.yml:4:1', message: 'INI inventories are not supported', found: '[web:children]' },
    ],
    ['nothing', '# nothing\n', { message: 'the inventory is empty' }],
    [
      'a file of ansible-vault',
      '$ANSIBLE_VAULT;1.1;AES256\n6162\n',
      { at: 'hosts.yml:1:1', hint: expect.stringContaining('hostwright secrets') },
    ],
    ['an alias that holds itself', hosts('      a: &a [*a]\n'), { message: 'an alias refers to itself' }],
  ];
  test.each(cases)('%s', async (_title, text, failure) => {
    const found = await failuresOf({ 'hosts.yml': text });
    expect(found).toMatchObject([failure]);
    expect(found[0]?.hint ?? '').not.toBe('');
  });

  const jinja: readonly (readonly [text: string, message: string, hint: string])[] = [
    ['{{ x | default(1) }}', 'a Jinja filter', 'group_vars/all.yml'],
    ['{{ list | join(",") }}', 'a Jinja filter', 'transform it in the role'],
    ['{{ x is defined }}', 'a Jinja test', 'tests are not supported'],
    ['{% if x %}a{% endif %}', 'a Jinja statement', '{{#if name}}'],
    ['{{ lookup("env", "HOME") }}', 'a Jinja lookup', 'write the value itself'],
    ["{{ hostvars['a'].b }}", 'hostvars', 'group_vars'],
    ['{{ list[0] }}', 'a Jinja subscript', 'list.[0]'],
    ['{{ a + b }}', 'a Jinja expression', 'only {{ name }}'],
    ['{{ a if b else c }}', 'a Jinja expression', 'only {{ name }}'],
    ['{{ f(1) }}', 'a Jinja expression', 'only {{ name }}'],
  ];
  test.each(jinja)('%s', async (text, message, hint) => {
    const found = await failuresOf({
      'hosts.yml': hosts(`      deep: { list: ['${text.replaceAll("'", "''")}'] }\n`),
    });
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toMatchObject({
      code: 'E_VARIABLE',
      at: 'hosts.yml:4:22',
      hint: expect.stringContaining(hint),
    });
    expect(found[0]?.message).toBe(`${message} in a value: values are handlebars templates, not Jinja`);
  });

  test.each([
    '{{ name }}',
    '{{{ name }}}',
    '{{#if (and a b)}}x{{else if c}}y{{/if}}',
    '{{#each list as |item|}}{{ item }}{{/each}}',
    String.raw`\{{ $labels.instance | title }}`,
    '{{ default rack "a | b" }}',
    '{{! a | b }}',
    '{{ list.[0] }}',
    '${#name}',
    '%{+Q}o',
  ])('%s is not Jinja', async (text) => {
    const folder = tree({ 'hosts.yml': hosts(`      value: '${text}'\n`) });
    expect((await readInventory(folder)).hosts.get('web1')?.vars).toStrictEqual({ value: text });
  });

  test('all errors of all files at once', async () => {
    const found = await failuresOf({
      '1.yml': 'all:\n  host:\n  hosts:\n    web[3:1]:\n    web1:\n',
      '2.yml': 'all:\n  vars: [a]\n',
      '3.yml': 'all: "\n',
      'group_vars/all.yml': '- a\n',
      'host_vars/web1.yml': 'a: "{{ b | c }}"\na: 1\n',
    });
    expect(found.map(({ at }) => at)).toStrictEqual([
      '1.yml:2:3',
      '1.yml:4:5',
      '2.yml:2:3',
      expect.stringMatching(/^3\.yml:/),
      'group_vars/all.yml:1:1',
      'host_vars/web1.yml:2:1',
      'host_vars/web1.yml:1:4',
    ]);
  });
});

describe('which files are read', () => {
  test('no inventory', async () => {
    expect(await failuresOf({}, 'nowhere')).toMatchObject([
      { code: 'E_INVENTORY', at: 'nowhere', hint: expect.stringContaining('-i') },
    ]);
  });

  test('an INI file by its name', async () => {
    const found = await failuresOf({ 'hosts.ini': '[web]\n' }, 'hosts.ini');
    expect(found).toMatchObject([
      {
        at: 'hosts.ini',
        message: 'INI inventories are not supported',
        hint: expect.stringContaining('ansible-inventory'),
      },
    ]);
  });

  test('a file of an unknown kind in the folder', async () => {
    expect(await failuresOf({ 'hosts.yml': hosts(''), 'hosts.toml': '' })).toMatchObject([
      { at: 'hosts.toml' },
    ]);
  });

  test('inventories below the folder are not mixed, as Ansible would without their variables', async () => {
    const found = await failuresOf({
      'a/hosts.yml': hosts(''),
      'a/group_vars/all.yml': 'x: 1\n',
      'b/hosts.yml': hosts(''),
      'b/host_vars/web1.yml': '',
    });
    expect(found).toMatchObject([
      { at: 'a', hint: expect.stringContaining('use it as the inventory with `-i ') },
      { at: 'b', found: 'host_vars/ in it' },
    ]);
  });
});

describe('variables for names that the inventory does not have', () => {
  const inventory = { 'hosts.yml': 'all: { children: { redis: { hosts: { web1: } } } }\n' };

  test('are errors that say what is near', async () => {
    const found = await failuresOf({
      ...inventory,
      'group_vars/redsi.yml': 'a: 1\n',
      'group_vars/mail/main.yml': 'a: 1\n',
      'host_vars/web2.yaml': 'a: 1\n',
      'host_vars/web1.yml': 'a: 1\n',
    });
    expect(found).toMatchObject([
      {
        code: 'E_INVENTORY',
        message: 'the inventory has no group mail',
        at: 'group_vars/mail',
        hint: 'add the group to the inventory (it may be empty), or remove group_vars/mail',
      },
      {
        message: 'the inventory has no group redsi',
        at: 'group_vars/redsi.yml',
        hint: 'did you mean "redis"',
      },
      {
        message: 'the inventory has no host web2',
        at: 'host_vars/web2.yaml',
        hint: 'did you mean "web1"',
      },
    ]);
  });

  test('but not of the groups that are always there, nor of files that are no variables', async () => {
    const files = { 'all.yml': '', 'ungrouped.yml': '', 'README.md': '', '.keep': '', 'old.yml~': '' };
    const besides = Object.entries(files).map(([name, text]) => [`group_vars/${name}`, text]);
    expect(await failuresOf({ ...inventory, ...Object.fromEntries(besides) })).toEqual([]);
  });

  test('nor of another inventory beside the one that is asked for', async () => {
    const files = {
      'production.yml': 'all: { children: { redis: { hosts: { web1: } } } }\n',
      'staging.yml': 'all: { children: { mail: { hosts: { web9: } } } }\n',
      'group_vars/mail.yml': 'a: 1\n',
      'host_vars/web9.yml': 'a: 1\n',
    };
    expect(await failuresOf(files, 'production.yml')).toEqual([]);
    expect(await failuresOf({ ...files, 'group_vars/mial.yml': '' }, 'production.yml')).toMatchObject([
      { at: 'group_vars/mial.yml' },
    ]);
  });
});
