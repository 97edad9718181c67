import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { bareHosts } from '../lab/hosts.ts';
import { visitDoor } from '../lab/visit.ts';
import type { FaultSite } from './recovery.ts';

const root = resolve(import.meta.dirname, '../..');

/** The whole site of Hostwright on one host that is in all groups, with a project folder of its own. */
export interface OneHostSite extends FaultSite {
  /** Puts a changed copy of a template before Hostwright's own; gives where that copy is. */
  template(name: string, change: (text: string) => string): Promise<string>;
  /** Sets variables beside those of the inventory. */
  set(variables: Readonly<Record<string, unknown>>): void;
  /** Back to Hostwright's own templates and the variables of the inventory. */
  mend(): Promise<void>;
  /** A page that goes through the balancer, the web server, the application and the database. */
  visit(): Promise<void>;
  /** Shell as root on the host; throws where it fails. */
  shell(script: string, input?: string): Promise<string>;
  down(): Promise<void>;
}

export async function oneHostSite(name: string, subnet: string): Promise<OneHostSite> {
  const hosts = await bareHosts(name, subnet, 1);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-one-host-'));
  await cp(hosts.inventory, project, { recursive: true });
  const inventory = await readFile(join(project, 'hosts.yml'), 'utf8');
  await writeFile(
    join(project, 'hosts.yml'),
    inventory.replace(/( +)db:\n +hosts: \{\}\n/, '$1db:\n$1  hosts:\n$1    web1:\n'),
  );
  await copyFile(join(root, 'site.yml'), join(project, 'site.yml'));
  const certificate = await readFile(`/var/lib/hostwright-lab/${name}/acme-root.pem`, 'utf8');
  const inventoryOwn = { app_source: join(root, 'demo/app') };
  let variables: Readonly<Record<string, unknown>> = inventoryOwn;
  return {
    hosts,
    names: ['web1'],
    words: () => ['-i', join(project, 'hosts.yml'), '-e', JSON.stringify(variables)],
    async template(file, change) {
      const own = join(project, 'templates', file);
      const text = await readFile(join(root, 'templates', file), 'utf8');
      const changed = change(text);
      if (changed === text) throw new Error(`the change of ${file} changes nothing`);
      await mkdir(dirname(own), { recursive: true });
      await writeFile(own, changed);
      return own;
    },
    set(more) {
      variables = { ...inventoryOwn, ...more };
    },
    async mend() {
      variables = inventoryOwn;
      await rm(join(project, 'templates'), { recursive: true, force: true });
    },
    async visit() {
      const door = { domain: 'www.foobar.com', address: hosts.address('web1'), root: certificate };
      const { status, body } = await visitDoor(door, { path: '/api/visits' });
      if (status !== 200) throw new Error(`status ${status}: ${body.slice(0, 200)}`);
    },
    shell: (script, input) => hosts.shell('web1', script, input),
    async down() {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
}
