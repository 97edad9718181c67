import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestHosts } from '../lab/hosts.ts';

/** A project whose site is one role on the web servers of a lab. */
export interface OneRoleProject {
  /** Words of the command line that name its inventory. */
  readonly inventory: readonly string[];
  remove(): Promise<void>;
}

export async function oneRoleProject(hosts: TestHosts, name: string, role: string): Promise<OneRoleProject> {
  const folder = await mkdtemp(join(tmpdir(), `hostwright-${name}-`));
  await mkdir(join(folder, 'roles', name), { recursive: true });
  await writeFile(join(folder, 'roles', name, 'role.ts'), role);
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(folder, 'hosts.yml'));
  await writeFile(join(folder, 'site.yml'), `- hosts: web\n  roles: [${name}]\n`);
  return {
    inventory: ['-i', join(folder, 'hosts.yml')],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
