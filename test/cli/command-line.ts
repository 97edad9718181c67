import { resolve } from 'node:path';
import { jsonLines, run, type Finished, type Line } from '../lab/hosts.ts';
import { tree } from '../inventory/tree.ts';

const root = resolve(import.meta.dirname, '../..');
const sources = ['jiti/lib/jiti-cli.mjs', '../src/cli/main.ts'].map((file) =>
  resolve(root, 'node_modules', file),
);

/** Runs the command line from its sources, in a folder of its own. */
export function hostwright(
  folder: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  const env = { ...process.env, HOSTWRIGHT_INVENTORY: '', NO_COLOR: '1', ...environment };
  return run(process.execPath, [...sources, ...words], { cwd: folder, env });
}

/** The lines of `--json`. */
export async function events(folder: string, words: readonly string[]): Promise<readonly Line[]> {
  return jsonLines(await hostwright(folder, [...words, '--json']));
}

const role = (name: string, variables: string): string => `import { defineRole, file, z } from 'hostwright';
export default defineRole({
  name: '${name}',
  variables: z.object({ ${variables} }),
  resources: () => [file('/etc/${name}', { content: 'x' })],
});
`;

/** A project with the role `web` for the group `web` and `db` for `db`, and a host that has no role. */
export function project(files: Readonly<Record<string, string>> = {}): string {
  return tree({
    'site.yml': '- hosts: web\n  roles: [web]\n- hosts: db\n  roles: [db]\n',
    'roles/web/role.ts': role('web', 'web_port: z.number().default(80), web_word: z.string().default("x")'),
    'roles/db/role.ts': role('db', 'db_names: z.array(z.string()).default([])'),
    'inventory/hosts.yml': `all:
  children:
    web: { hosts: { web1: } }
    db: { hosts: { db1: } }
    spare: { hosts: { spare1: } }
  vars: { ansible_host: 127.0.0.1, ansible_port: 1 }
`,
    ...files,
  });
}
