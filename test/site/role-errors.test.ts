import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readProject, readSiteOf } from '../../src/cli/project.ts';
import type { Facts } from '../../src/roles/role.ts';
import { formatError } from '../../src/report/error.ts';
import { hostResources } from '../../src/site/second-pass.ts';

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'hostwright-role-errors-'));
  write('inventory/hosts.yml', 'all:\n  hosts:\n    web1:\n    web2:\n');
  write('site.yml', '- hosts: all\n  roles: [hello]\n');
});

afterEach(() => {
  rmSync(project, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

const facts: Facts = {
  os: 'debian',
  codename: 'trixie',
  architecture: 'amd64',
  hostname: 'web1',
  kernel: '6.12',
  processors: 2,
  memory: 1024 ** 3,
  addresses: [],
  interface: 'eth0',
  ipv6: 'off',
};

/** What a person reads of the project, whose folder is `/p` there; the resources of web1 where all is well. */
async function read(folder = project): Promise<string> {
  try {
    const options = { inventory: join(folder, 'inventory') };
    const site = await readSiteOf(await readProject(options, process.env), options);
    return hostResources(site, 'web1', facts)
      .map(({ id }) => id)
      .join(' ');
  } catch (error) {
    return formatError(error).replaceAll(folder, '/p').replaceAll(project, '/p');
  }
}

/** A role whose `resources` begin in line 12, below types that only the compiler reads. */
function role(resources: string, more = ''): string {
  return `import { defineRole, file, pkg, z } from 'hostwright';

interface Port {
  readonly number: number;
  readonly name: 'http' | 'https';
}

export default defineRole({
  name: 'hello',
  variables: z.object({ word: z.string().default('Hello') }),
${more}
  resources: ({ vars, host, site, template, asset }) => ${resources},
});
`;
}

/** The line of a place with its caret, as errors show it. */
function excerpt(place: string, text: string, caret: string): string {
  const [, line = ''] = /:(\d+):\d+$/.exec(place) ?? [];
  const gutter = `${' '.repeat(line.length)} | `;
  return ` --> /p/roles/hello/${place}\n${line} | ${text}\n${gutter}${' '.repeat(text.indexOf(caret))}^\n`;
}

describe('what goes wrong in a role says which role, for which host, and where in its files', () => {
  test('an exception, below types that leave no code behind', async () => {
    const text =
      "    ...['a'].map((at: string) => file(at, { content: String((vars as unknown as Port).name.length) })),";
    write('roles/hello/role.ts', role(`[\n    pkg('nginx'),\n${text}\n  ]`));
    expect(await read()).toBe(
      `error: the role hello fails on web1  [E_ROLE]\n${excerpt('role.ts:14:92', text, 'length')}` +
        "  found:    TypeError: Cannot read properties of undefined (reading 'length')",
    );
  });

  test('an exception in another file of the role, in a project that is reached by a link', async () => {
    const text = '  return missing.word;';
    write('roles/hello/words.ts', `export function word(missing?: { word: string }): string {\n${text}\n}\n`);
    write(
      'roles/hello/role.ts',
      `import { word } from './words.ts';\n${role("[file('/a', { content: word() })]")}`,
    );
    const link = `${project}-link`;
    symlinkSync(project, link);
    try {
      const said = await read(link);
      expect(said).toContain('error: the role hello fails on web1  [E_ROLE]\n');
      expect(said).toContain(excerpt('words.ts:2:18', text, 'word'));
    } finally {
      rmSync(link);
    }
  });

  test.each([
    ['declares', '  declares: ({ host }) => host.nmae.split(""),', 37],
    ['derives', '  derives: ({ site }) => site.declared("x")[0].host,', 47],
    ['listens', '  listens: ({ host }) => [{ port: host.port.number }],', 45],
  ])(
    'an exception in %s, before any host; the same for the second host is said once',
    async (_, text, column) => {
      write('roles/hello/role.ts', role('[]', text));
      const said = await read();
      expect(said.split('\n').slice(0, 2)).toEqual([
        'error: the role hello fails on web1  [E_ROLE]',
        ` --> /p/roles/hello/role.ts:11:${column}`,
      ]);
      expect(said).not.toContain('web2');
    },
  );

  test('what an exception quotes of a secret is not shown', async () => {
    write(
      'roles/hello/role.ts',
      role('[]', '  declares: ({ vars }) => JSON.parse(vars.token.reveal()),')
        .replace("word: z.string().default('Hello')", 'token: secret()')
        .replace('pkg,', 'pkg, secret,'),
    );
    write('inventory/group_vars/all.yml', 'token: hunter2-hunter2\n');
    const said = await read();
    expect(said).toContain('SyntaxError');
    expect(said).not.toContain('hunter2');
  });

  test.each([
    ['resources', 'resources: async', 'resources: a Promise'],
    ['resources', 'resources: () => file("/a", {}), never:', 'resources: { type:'],
    ['resources', 'resources: () => [pkg("a"), "nginx"], never:', "resources: item 2 is 'nginx'"],
    ['resources', 'resources: () => [pkg], never:', 'resources: item 1 is [Function: pkg]'],
    ['resources', 'resources: () => [(async () => pkg("a"))()], never:', 'resources: item 1 is a Promise'],
    ['listens', 'listens: () => [{ port: "80" }], resources:', "listens: item 1 is { port: '80' }"],
    [
      'listens',
      'listens: () => [{ port: 80, from: pkg("app"), why: "x" }], resources:',
      'listens: item 1 is',
    ],
    ['declares', 'declares: async () => [], resources:', 'declares: a Promise'],
  ])('no list of what belongs into %s: %s', async (member, words, found) => {
    write(
      'roles/hello/role.ts',
      role('[]')
        .replace('resources:', words)
        .replace(/, never:.*/, ','),
    );
    const said = await read();
    expect(said).toContain('error: invalid result of the role hello on web1  [E_ROLE]');
    expect(said).toContain(` --> /p/roles/hello/role.ts:12:${3 + Math.max(0, words.indexOf(member))}\n`);
    expect(said).toContain(`  found:    ${found}`);
  });

  test('a resource with a wrong attribute has the line that makes it, and the name that was meant', async () => {
    const text = "    file('/b', { contnet: 'b', mode: 644 }),";
    write('roles/hello/role.ts', role(`[\n    file('/a', { content: 'a' }),\n${text}\n  ]`));
    const said = await read();
    expect(said).toContain(
      `error: unknown attribute contnet of a file (role hello, host web1)  [E_RESOURCE]\n${excerpt('role.ts:14:5', text, 'file')}`,
    );
    expect(said).toContain('hint:     did you mean "content"');
    expect(said).toContain('error: invalid mode of a file (role hello, host web1)  [E_RESOURCE]');
  });

  test('one resource in two states has the lines of both', async () => {
    write(
      'roles/hello/role.ts',
      role(`[\n    file('/a', { content: 'a' }),\n    file('/a', { content: 'b' }),\n  ]`),
    );
    const said = await read();
    expect(said).toContain(' --> /p/roles/hello/role.ts:14:5\n');
    expect(said).toContain('found:    hello: this one; hello: /p/roles/hello/role.ts:13:5');
  });

  test.each([
    ['asset', "asset('page.htm')", 'the asset "page.htm" cannot be read  [E_ROLE]', 'page.html'],
    [
      'template',
      "template('hello/page.hb', {})",
      'the template "hello/page.hb" does not exist  [E_TEMPLATE]',
      'hello/page.hbs',
    ],
  ])(
    'a missing %s has the line that asks for it, and the name that was meant',
    async (_, call, message, meant) => {
      write('roles/hello/page.html', 'page');
      write('templates/hello/page.hbs', 'page');
      const text = `    file('/a', { content: ${call} }),`;
      write('roles/hello/role.ts', role(`[\n${text}\n  ]`));
      const said = await read();
      expect(said).toContain(`error: ${message}\n${excerpt('role.ts:13:27', text, call)}`);
      expect(said).toContain(`hint:     did you mean "${meant}"`);
    },
  );

  test('a name that hostwright does not export has the place of its use, and the name that was meant', async () => {
    write('roles/hello/role.ts', role("[flie('/a', { content: 'a' })]").replace('file,', 'flie,'));
    const said = await read();
    expect(said).toContain(
      "error: 'hostwright' does not export flie  [E_ROLE]\n --> /p/roles/hello/role.ts:12:58\n",
    );
    expect(said).toContain('hint:     did you mean "file"');
  });
});

describe('a role that cannot be loaded has the place in its file', () => {
  test.each([
    ['a syntax error', '  variables: z.object({}),,', '11:27', 'ParseError'],
    ['a misspelt member', '  listen: () => [],', '11:3', 'did you mean "listens"'],
    ['a member that is no function', '  declares: [],', '11:3', 'expected: a function'],
  ])('%s', async (_, more, place, said) => {
    write('roles/hello/role.ts', role('[]', more));
    const text = await read();
    expect(text).toContain(`[E_ROLE]\n --> /p/roles/hello/role.ts:${place}\n11 | ${more}\n`);
    expect(text).toContain(said);
  });

  test.each([
    ["import { a } from './helpr.ts';", '1', 'did you mean "helper.ts"'],
    [
      "import { a } from 'lodash';",
      '1',
      "a role may import from 'hostwright', from node: and from files of its project",
    ],
  ])('%s', async (line, row, hint) => {
    write('roles/hello/helper.ts', 'export const a = 1;\n');
    write('roles/hello/role.ts', `${line}\n${role('[pkg(String(a))]')}`);
    const text = await read();
    expect(text).toContain(` --> /p/roles/hello/role.ts:${row}`);
    expect(text).toContain(`hint:     ${hint}`);
  });
});

test('conditions and lists may stand in a list of resources', async () => {
  write(
    'roles/hello/role.ts',
    role(
      "[vars.word === 'no' && pkg('aa'), [pkg('bb'), [pkg('cc')]], undefined, null, host.name && pkg('dd')]",
    ),
  );
  expect(await read()).toBe('package:bb package:cc package:dd');
});

describe('a play whose pattern has no hosts', () => {
  const play = (more: string) =>
    `- hosts: all\n  roles: [hello]\n- hosts: spare:web2\n  roles: [nowhere]\n${more}`;

  test('is an error', async () => {
    write('roles/hello/role.ts', role("[file('/etc/hello')]"));
    write('site.yml', play(''));
    expect(await read()).toContain('pattern spare matches no host and no group');
  });

  test('is left out where it is optional, with its roles', async () => {
    write('roles/hello/role.ts', role("[file('/etc/hello')]"));
    write('site.yml', play('  optional: true\n'));
    expect(await read()).toBe('file:/etc/hello');
  });

  test('is an error all the same where the pattern is malformed', async () => {
    write('roles/hello/role.ts', role("[file('/etc/hello')]"));
    write('site.yml', play('  optional: true\n').replace('spare:web2', "'web1:!'"));
    expect(await read()).toContain('a host pattern is malformed');
  });
});
