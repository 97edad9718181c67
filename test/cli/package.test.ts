import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { run } from '../lab/hosts.ts';
import { tree } from '../inventory/tree.ts';

const root = resolve(import.meta.dirname, '../..');
const manifest = z
  .object({ version: z.string(), dependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

let folder: string;
let installed: string;

/** Links a package of this checkout into the folder where the other one is installed. */
function link(name: string): void {
  if (existsSync(join(folder, 'node_modules', name))) return;
  mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
}

/** The package as npm packs it, installed with what it depends on and nothing else. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-package-'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root });
  installed = join(folder, 'node_modules/hostwright');
  mkdirSync(installed, { recursive: true });
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', installed, '--strip-components', '1']);
  for (const name of Object.keys(manifest.dependencies)) link(name);
}, 180_000);

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function hostwright(...words: readonly string[]) {
  const env = { ...process.env, HOSTWRIGHT_INVENTORY: '', NO_COLOR: '1' };
  return run(join(installed, 'bin/hostwright'), words, { cwd: folder, env });
}

/** What the compiler says of a project; '' for nothing. */
function typeErrors(project: string): string {
  try {
    return execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], { encoding: 'utf8' });
  } catch (error) {
    return String((error as { readonly stdout?: string }).stdout);
  }
}

describe('the package', () => {
  it('runs', async () => {
    expect(await hostwright('--version')).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  });

  it('plans a project of its user, with roles and templates of both', async () => {
    const own = tree({
      'site.yml': '- hosts: all\n  roles: [own, base]\n',
      'roles/own/role.ts': `import { defineRole, file, z } from 'hostwright';
export default defineRole({
  name: 'own',
  variables: z.object({}),
  resources: ({ template }) => [file('/etc/own', { content: template('own/x.hbs', {}) })],
});
`,
      'inventory/hosts.yml': 'all: { hosts: { web1: } }\n',
      'inventory/group_vars/all.yml': 'ansible_host: 127.0.0.1\nansible_port: 1\n',
    });
    const { code, stdout, stderr } = await hostwright('plan', '-i', join(own, 'inventory'));
    // Everything is read; there is only nobody to talk to.
    expect(code, stderr).toBe(3);
    expect(stdout).toContain('Plan: no host could be planned; unreachable: web1.');
  });

  it.each(readdirSync(join(root, 'inventory')))('reads the site of inventory/%s', async (name) => {
    const copy = join(folder, name);
    cpSync(join(installed, 'inventory', name), copy, { recursive: true });
    const { code, stderr } = await hostwright(
      'plan',
      '-i',
      copy,
      '-e',
      'ansible_host=127.0.0.1 ansible_port=1',
    );
    expect(code, stderr).toBe(3);
  });

  it('has what its inventories name, and nothing that works in a clone alone', () => {
    const source = /^app_source: (.*)$/m.exec(
      readFileSync(join(installed, 'inventory/lab/group_vars/app.yml'), 'utf8'),
    )?.[1];
    expect(readdirSync(join(installed, source ?? 'nothing'))).toContain('main.py');
    expect(readdirSync(join(installed, 'bin'))).toEqual(['hostwright', 'package.json']);
    for (const name of ['test', 'src', 'bench']) expect(existsSync(join(installed, name))).toBe(false);
  });

  it('makes a project that type-checks and passes its tests as it is', async () => {
    for (const name of ['@types/node', 'undici-types', 'typescript']) link(name);
    const project = join(folder, 'new');
    mkdirSync(project);
    // As `npm init -y` writes it.
    const script = 'echo "Error: no test specified" && exit 1';
    const begun = { name: 'new', type: 'commonjs', main: 'index.js', scripts: { test: script } };
    writeFileSync(join(project, 'package.json'), JSON.stringify(begun));
    const make = (...words: readonly string[]) =>
      run(join(installed, 'bin/hostwright'), words, { cwd: project, env: { ...process.env, NO_COLOR: '1' } });
    for (const words of [['init'], ['new', 'role', 'hello'], ['new', 'resource', 'app_setting']]) {
      expect(await make(...words)).toMatchObject({ code: 0, stderr: '' });
    }
    expect(await make('new', 'role', 'hello')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('already there: roles/hello/role.ts') as string,
    });
    // Two directions up: the role and the type that it imports.
    const role = join(project, 'roles/hello/role.ts');
    const made = readFileSync(role, 'utf8');
    const text = made
      .replace('\n\n', "\nimport { appSetting } from '../../resources/app-setting.ts';\n\n")
      .replace('  ],', "    appSetting('greeting', { value: 'Hello' }),\n  ],");
    writeFileSync(role, text);
    expect(typeErrors(project)).toBe('');
    writeFileSync(role, text.replace('{ value:', '{ vaule:'));
    expect(typeErrors(project)).toContain("'vaule' does not exist in type");
    writeFileSync(role, text);
    writeFileSync(join(project, 'site.yml'), '- hosts: all\n  roles: [hello]\n');
    const at = ['-e', 'ansible_host=127.0.0.1 ansible_port=1'];
    expect(await make('plan', '-i', join(project, 'inventory'), ...at)).toMatchObject({ code: 3 });
    writeFileSync(role, made);
    const { code, stdout, stderr } = await run('npm', ['test', '--silent'], { cwd: project });
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^# pass 6$/m);
  });

  it('passes the tests of the example of a resource type', async () => {
    const example = join(folder, 'example');
    cpSync(join(installed, 'examples/resource'), example, { recursive: true });
    expect(typeErrors(example)).toBe('');
    const { code, stdout, stderr } = await run('npm', ['test', '--silent'], { cwd: example });
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^# pass 5$/m);
  });

  it('type-checks a role that gives the bytes of a file on', () => {
    link('@types/node');
    link('undici-types');
    const project = tree({
      'role.ts': `import { defineRole, file, z } from 'hostwright';
export default defineRole({
  name: 'own',
  variables: z.object({ own_port: z.number() }),
  resources: ({ asset, vars }) => [
    file('/etc/own', { content: asset('x') }),
    file('/etc/bytes', { content: new TextEncoder().encode('x') }),
    file('/etc/text', { content: asset('x').toString('utf8') + vars.own_port }),
  ],
});
`,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          target: 'es2023',
          module: 'nodenext',
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: true,
          noEmit: true,
          types: ['node'],
        },
        files: ['role.ts'],
      }),
    });
    symlinkSync(join(folder, 'node_modules'), join(project, 'node_modules'));
    expect(typeErrors(project)).toBe('');
  });
});
