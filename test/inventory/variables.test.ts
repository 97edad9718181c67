import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FilePlace } from '../../src/errors.ts';
import { readInventory } from '../../src/inventory/read.ts';
import { magicVariables, resolveVariables } from '../../src/inventory/variables.ts';
import type { Value, Variables } from '../../src/inventory/variables.ts';
import { Secret, isSecret } from '../../src/secrets/secret.ts';
import { createRenderer } from '../../src/template/render.ts';
import { failures } from './failure.ts';
import { tree } from './tree.ts';

const renderer = createRenderer();

function resolved(vars: Variables, magic: Variables = {}): Record<string, Value> {
  const names = Object.keys(vars);
  const places = new Map(
    names.map((name, index): [string, FilePlace] => [name, { file: 'vars.yml', line: index + 1, column: 1 }]),
  );
  return resolveVariables({
    vars,
    places,
    magic,
    render: (text, data, { file }) => renderer({ text, file, data }),
  });
}

describe('references', () => {
  test('go through other references, in any order', () => {
    expect(
      resolved({ url: 'https://{{ name }}/', name: 'www.{{domain}}', domain: 'foobar.com' }),
    ).toStrictEqual({
      url: 'https://www.foobar.com/',
      name: 'www.foobar.com',
      domain: 'foobar.com',
    });
  });

  test('keep the type where they are all there is', () => {
    const vars = {
      ports: [80, { tls: 443 }],
      same: '{{ ports }}',
      one: '{{ ports.[1].tls }}',
      first: '{{ports.[0]}}',
      text: '{{ ports.[0] }}!',
      on: true,
      off: '{{{ on }}}',
      none: null,
      nothing: '{{ none }}',
    };
    expect(resolved(vars)).toMatchObject({
      same: [80, { tls: 443 }],
      one: 443,
      first: 80,
      text: '80!',
      off: true,
      nothing: null,
    });
  });

  test('stand inside lists and maps', () => {
    expect(resolved({ a: 'x', deep: { list: ['{{ a }}', { b: '{{a}}{{a}}' }] } })['deep']).toStrictEqual({
      list: ['x', { b: 'xx' }],
    });
  });

  test('may be blocks', () => {
    expect(
      resolved({
        tls: true,
        names: ['a', 'b'],
        url: '{{#if tls}}https{{else}}http{{/if}}:{{#each names}}{{this}}{{/each}}',
      })['url'],
    ).toBe('https:ab');
  });

  test('escaped braces are literal', () => {
    expect(resolved({ legend: String.raw`\{{ instance }}` })['legend']).toBe('{{ instance }}');
  });

  test('a secret makes what it is part of a secret', () => {
    const { url, same, plain } = resolved({
      password: new Secret('geheim'),
      url: 'app:{{ password }}@db',
      same: '{{ password }}',
      plain: 'x',
    });
    expect(isSecret(url) ? url.reveal() : url).toBe('app:geheim@db');
    expect(JSON.stringify(url)).toBe('"***"');
    expect(isSecret(same) && same.reveal()).toBe('geheim');
    expect(plain).toBe('x');
  });

  test('reach the names of the host and its groups', async () => {
    const folder = tree({
      'hosts.yml': 'web:\n  hosts:\n    web[1:2].example.com:\ndb:\n  hosts:\n    web1.example.com:\n',
    });
    const inventory = await readInventory(folder);
    const host = inventory.hosts.get('web1.example.com');
    const magic = host === undefined ? {} : magicVariables(inventory, host);
    const vars = {
      me: '{{ inventory_hostname }}',
      short: '{{ inventory_hostname_short }}',
      all: '{{ groups.web }}',
      mine: '{{ group_names }}',
      dir: '{{ inventory_dir }}/x',
    };
    expect(resolved(vars, magic)).toStrictEqual({
      me: 'web1.example.com',
      short: 'web1',
      all: ['web1.example.com', 'web2.example.com'],
      mine: ['db', 'web'],
      dir: join(folder, 'x'),
    });
  });
});

describe('what cannot be resolved', () => {
  test.each([
    [
      'an unknown name alone',
      { domain: 'x', url: '{{ domian }}' },
      {
        at: 'vars.yml:2:1',
        message: 'variable url refers to undefined domian',
        hint: 'did you mean "domain"',
      },
    ],
    [
      'an unknown name in a text',
      { domain: 'x', url: 'https://{{ domian }}/' },
      { at: 'vars.yml:2:1', found: '{{ domian }}' },
    ],
    [
      'an unknown key',
      { db: { port: 1 }, p: '{{ db.prot }}' },
      {
        at: 'vars.yml:2:1',
        message: 'variable p refers to undefined db.prot',
        hint: 'did you mean "port"',
      },
    ],
    [
      'an unknown name in a block',
      { a: '{{#if nowhere}}x{{/if}}' },
      { at: 'vars.yml:1:1', message: expect.stringContaining('nowhere') },
    ],
    ['a block that is not closed', { a: '{{#if a}}x' }, { at: 'vars.yml:1:1' }],
    ['a list in a text', { l: [1], a: 'x{{ l }}' }, { at: 'vars.yml:2:1' }],
    [
      'a circle',
      { a: '{{ b }}', b: 'x{{ c }}', c: ['{{ a }}'], d: '{{ a }}' },
      { message: 'variables refer to each other in a cycle', found: 'a → b → c → a', at: 'vars.yml:3:1' },
    ],
    ['itself', { a: 'x{{ a }}' }, { found: 'a → a', at: 'vars.yml:1:1' }],
  ])('%s', async (_title, vars, failure) => {
    expect(await failures(() => resolved(vars))).toMatchObject([{ code: 'E_VARIABLE', ...failure }]);
  });

  test('all of it at once, without what only follows', async () => {
    const found = await failures(() =>
      resolved({ a: '{{ x }}', b: '{{ a }}', c: '{{ y }} {{ a }}', d: 'fine' }),
    );
    expect(found.map(({ at }) => at)).toStrictEqual(['vars.yml:1:1', 'vars.yml:3:1']);
  });
});
