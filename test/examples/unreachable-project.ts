import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { temporaryFolder } from '../transport/local-shell.ts';

const root = resolve(import.meta.dirname, '../..');

/** The hosts of the project, none of which can be reached. */
export const hosts: readonly string[] = Array.from({ length: 7 }, (_, index) => `web${index + 1}`);

async function write(file: string, text: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
}

/**
 * A folder with `project/`, an empty `results/` and `secrets/known_hosts`, and a PATH with a `hostwright` that runs
 * the sources.
 */
export async function unreachableProject(): Promise<{ readonly folder: string; readonly path: string }> {
  const folder = await temporaryFolder();
  await write(
    join(folder, 'bin/hostwright'),
    `#!/bin/sh\nexec ${root}/node_modules/.bin/jiti ${root}/src/cli/main.ts "$@"\n`,
  );
  await chmod(join(folder, 'bin/hostwright'), 0o755);
  // Nobody listens there: each host is unreachable, which is all that the options need to be proved.
  const all = {
    hosts: Object.fromEntries(hosts.map((name) => [name, { ansible_host: '127.0.0.1', ansible_port: 9 }])),
  };
  await write(join(folder, 'project/inventory/hosts.yml'), JSON.stringify({ all }));
  await write(join(folder, 'project/site.yml'), '- hosts: all\n  roles: [still]\n');
  await write(
    join(folder, 'project/roles/still/role.ts'),
    `import { defineRole, z } from 'hostwright';\nexport default defineRole({ name: 'still', variables: z.object({}), resources: () => [] });\n`,
  );
  await mkdir(join(folder, 'results'));
  await write(join(folder, 'secrets/known_hosts'), '');
  return { folder, path: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
}
