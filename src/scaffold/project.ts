import { basename, relative } from 'node:path';
import { z } from 'zod';
import type { Draft } from './write.ts';

/** What a project outside of Hostwright's folder needs of it. */
export interface PackageSource {
  /** Hostwright's own folder, absolute. */
  readonly folder: string;
  /** Of the packages that an editor and tests need beside it. */
  readonly versions: Readonly<Record<'@types/node' | 'typescript', string>>;
}

const scripts = {
  test: 'node --import hostwright/testing/register --test test/*.test.ts',
  types: 'tsc',
};

/** `npm init` writes a test script that only fails: it stands for none. */
function isPlaceholder(name: string, script: unknown): boolean {
  return name === 'test' && typeof script === 'string' && script.includes('Error: no test specified');
}

const manifest = z.looseObject({
  scripts: z.record(z.string(), z.unknown()).default({}),
  dependencies: z.record(z.string(), z.unknown()).default({}),
  devDependencies: z.record(z.string(), z.unknown()).default({}),
});

function packageName(project: string): string {
  const name = basename(project).toLowerCase();
  return name.replaceAll(/[^a-z0-9-]/g, '-').replace(/^-+/, '') || 'project';
}

/**
 * package.json with what an editor and `npm test` need to find `hostwright`, from the text of the one that is there.
 * Only what is missing is added. Throws where the text is not that of a package.json.
 */
export function packageManifest(project: string, source: PackageSource, text: string | undefined): string {
  const before =
    text === undefined ? { name: packageName(project), private: true, type: 'module' } : undefined;
  const {
    scripts: ownScripts,
    dependencies,
    devDependencies,
    ...own
  } = manifest.parse(before ?? JSON.parse(text ?? ''));
  const needed = { ...source.versions, hostwright: `file:${relative(project, source.folder)}` };
  const missing = Object.entries(needed).filter(([name]) => !(name in dependencies));
  const kept = Object.entries(ownScripts).filter(([name, script]) => !isPlaceholder(name, script));
  const complete = {
    ...own,
    scripts: { ...scripts, ...Object.fromEntries(kept) },
    ...(Object.keys(dependencies).length === 0 ? {} : { dependencies }),
    devDependencies: { ...Object.fromEntries(missing), ...devDependencies },
  };
  return json(complete);
}

/** For the editor and `npm run types`. */
export const tsconfig: Draft = {
  path: 'tsconfig.json',
  text: json({
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023'],
      module: 'preserve',
      types: ['node'],
      strict: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
    },
  }),
};

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A project with one host and no role yet. */
export const emptyProject: readonly Draft[] = [
  { path: '.gitignore', text: 'node_modules/\n' },
  {
    path: 'site.yml',
    text: `# Which hosts get which roles: the bundled ones, and yours in roles/.
- hosts: all
  roles: []
`,
  },
  {
    path: 'inventory/hosts.yml',
    text: `all:
  hosts:
    web1:
      ansible_host: 192.0.2.11 # the address of your host
  vars:
    ansible_user: admin
    ansible_become: true
`,
  },
];
