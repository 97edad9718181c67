import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** What a folder of src/ may import besides itself and the words everybody uses. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  cli: [
    'actions',
    'workers',
    'apply',
    'plan',
    'rollback',
    'site',
    'roles',
    'resources',
    'inventory',
    'secrets',
    'template',
    'transport',
    'report',
    'logs',
    'lab',
    'pki',
    'scaffold',
    'pages',
  ],
  actions: ['apply', 'plan', 'site', 'inventory', 'roles', 'transport'],
  workers: ['apply', 'plan', 'site', 'inventory', 'roles', 'resources', 'release', 'secrets', 'transport'],
  apply: ['plan', 'rollback', 'site', 'resources', 'secrets', 'transport'],
  plan: ['rollback', 'resources', 'roles', 'secrets', 'transport'],
  rollback: ['resources', 'roles', 'transport'],
  site: ['inventory', 'roles', 'resources', 'secrets', 'template'],
  roles: ['resources', 'secrets', 'transport'],
  resources: ['secrets', 'transport', 'pki', 'release'],
  inventory: ['secrets', 'transport'],
  template: ['secrets'],
  secrets: [],
  transport: ['secrets'],
  report: ['plan', 'resources', 'logs'],
  logs: ['transport'],
  pki: ['secrets'],
  release: [],
  lab: ['pki'],
  scaffold: [],
  testing: ['plan', 'roles', 'resources', 'secrets', 'template', 'transport', 'lab'],
};

const words = ['errors.ts', 'schema-problems.ts', 'suggestion.ts'];

function files(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function imports(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:^(?:import|export)\b[^;]*?\bfrom\s+|\bimport\()'([^']+)'/gm);
  // In a text that makes a file it has a placeholder.
  return [...found].flatMap(([, name]) => (name === undefined || name.includes('${') ? [] : name));
}

/** The folders that a folder may import, and those that these may, and so on. */
function reach(folder: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const next of mayImport[folder] ?? []) {
    if (seen.has(next)) continue;
    seen.add(next);
    reach(next, seen);
  }
  return seen;
}

describe('the layers', () => {
  it.each(Object.keys(mayImport))('no arrow leads back to %s', (folder) => {
    expect([...reach(folder)]).not.toContain(folder);
  });

  for (const folder of readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )) {
    it(`src/${folder.name} imports only what lies below it`, () => {
      const allowed = [folder.name, ...(mayImport[folder.name] ?? [])];
      for (const file of files(join(root, 'src', folder.name))) {
        for (const name of imports(file).filter((one) => one.startsWith('.'))) {
          const target = relative(join(root, 'src'), resolve(file, '..', name));
          const top = target.split('/')[0] ?? target;
          const isPublicApi = folder.name === 'cli' && target === 'index.ts';
          const isAllowed = words.includes(target) || allowed.includes(top) || isPublicApi;
          expect(isAllowed, `${relative(root, file)} imports ${target}`).toBe(true);
        }
      }
    });
  }

  it('roles import the public API, as the roles of a user do, and what two of them share in a folder of its own', () => {
    for (const file of files(join(root, 'roles'))) {
      for (const name of imports(file)) {
        const isOwn = name.startsWith('./') || name.startsWith('node:');
        const isShared = /^\.\.\/\w+\//.test(name) && !existsSync(resolve(file, '..', name, '..', 'role.ts'));
        expect(isOwn || isShared || name === 'hostwright', `${relative(root, file)} imports ${name}`).toBe(
          true,
        );
      }
    }
  });
});

describe('functions of the shell', () => {
  it('have one name for one meaning', () => {
    // One that does nothing stands in for one that has nothing to do.
    const definition = /\b(hw_\w+)\(\) (?:\{(?! :; \})|\()/g;
    const names = files(join(root, 'src')).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(definition)].map(([, name]) => name),
    );
    expect(names).toContain('hw_replace');
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
