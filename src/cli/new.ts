import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { HostwrightError } from '../errors.ts';
import * as api from '../index.ts';
import { namesOf } from '../scaffold/names.ts';
import { emptyProject, packageManifest, tsconfig, type PackageSource } from '../scaffold/project.ts';
import { resourceFiles } from '../scaffold/resource.ts';
import { roleFiles } from '../scaffold/role.ts';
import { writeMissing, writeNew, type Draft } from '../scaffold/write.ts';
import { packageFolder } from './project.ts';

const ownManifest = z.object({
  devDependencies: z.object({ '@types/node': z.string(), typescript: z.string() }),
});

async function packageSource(): Promise<PackageSource> {
  const text = await readFile(join(packageFolder, 'package.json'), 'utf8');
  return { folder: packageFolder, versions: ownManifest.parse(JSON.parse(text)).devDependencies };
}

/** Makes package.json and tsconfig.json, or adds to package.json what is missing there. Says what it did. */
async function forEditors(project: string): Promise<readonly string[]> {
  const file = join(project, 'package.json');
  const before = existsSync(file) ? await readFile(file, 'utf8') : undefined;
  let after: string;
  try {
    after = packageManifest(project, await packageSource(), before);
  } catch (cause) {
    throw new HostwrightError('E_USAGE', 'package.json cannot be read', { place: { file }, cause });
  }
  const isSame =
    before !== undefined && JSON.stringify(JSON.parse(before)) === JSON.stringify(JSON.parse(after));
  if (!isSame) await writeFile(file, after);
  const made = await writeMissing(project, [tsconfig]);
  return [
    ...(isSame
      ? []
      : [
          before === undefined
            ? 'made package.json'
            : 'added to package.json: what your editor and npm test need',
        ]),
    ...made.map((path) => `made ${path}`),
  ];
}

/** The folder of the nearest site.yml, or the current one. */
function projectFolder(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'site.yml'))) return folder;
    if (folder === dirname(folder)) return start;
  }
}

function tell(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Says what was done and what is next. */
function tellNext(project: string, did: readonly string[], next: readonly string[]): void {
  const needed = ['hostwright', 'typescript', '@types/node'];
  const isInstalled = needed.every((name) => existsSync(join(project, 'node_modules', name)));
  const install = isInstalled ? [] : ['npm install: once, for your editor and the tests'];
  tell([...did, '', 'Next:', ...[...install, ...next].map((step) => `- ${step}`)]);
}

/** `hostwright init`: a project that works in an editor. */
export function initCommand(): Command {
  return new Command('init').description('make a new project in the current folder').action(async () => {
    const project = process.cwd();
    const made = await writeMissing(project, emptyProject);
    const did = [...made.map((path) => `made ${path}`), ...(await forEditors(project))];
    tellNext(project, did.length === 0 ? ['everything is there already'] : did, [
      'put the addresses of your hosts into inventory/hosts.yml',
      'hostwright new role NAME: a role of your own',
    ]);
  });
}

async function scaffold(files: readonly Draft[], next: readonly string[]): Promise<void> {
  const project = projectFolder(process.cwd());
  const made = await writeNew(project, files);
  const did = [...made.map((path) => `made ${path}`), ...(await forEditors(project))];
  tellNext(project, did, ['npm test', ...next]);
}

/** `hostwright new role|resource NAME`: code that works as it is, with its test, in the project of the current folder. */
export function newCommand(): Command {
  const command = new Command('new').description('add a role or a resource type to a project, with its test');
  command
    .command('role')
    .description('add roles/NAME with a template and a test')
    .argument('<name>', 'name of the role')
    .action(async (name: string) => {
      const names = namesOf(name, new Set());
      await scaffold(roleFiles(names), [
        `add ${names.snake} to the roles of a play in site.yml, and run hostwright plan`,
      ]);
    });
  command
    .command('resource')
    .description('add resources/NAME.ts, a resource type, with a test')
    .argument('<name>', 'name of the type')
    .action(async (name: string) => {
      const names = namesOf(name, new Set(Object.keys(api)));
      await scaffold(resourceFiles(names), [
        `use it in a role: import { ${names.camel} } from '../../resources/${names.kebab}.ts';`,
      ]);
    });
  return command;
}
