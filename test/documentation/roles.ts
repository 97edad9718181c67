import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Role } from '../../src/index.ts';

const folder = resolve(import.meta.dirname, '../../roles');

async function read(name: string): Promise<{ readonly readme: string; readonly role: Role }> {
  const { default: role }: { readonly default: Role } = await import(join(folder, name, 'role.ts'));
  return { readme: join(folder, name, 'README.md'), role };
}

/** The roles that Hostwright brings, by their names. */
export const bundledRoles = await Promise.all(
  readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'role.ts')))
    .toSorted()
    .map(read),
);
