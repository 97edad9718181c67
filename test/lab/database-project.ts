import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Door } from './counting-writer.ts';
import { named, run, type Finished, type TestHosts } from './hosts.ts';

/** What the inventory of a lab gets: variables beside its own, and the hosts of each group. */
export interface DatabaseLayout {
  readonly vars: Readonly<Record<string, unknown>>;
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** A project on the hosts of a lab with nothing but databases, and the proxies of `app` in front of them. */
export interface DatabaseProject {
  /** Says what is declared; what is applied is another thing. */
  readonly declare: (layout: DatabaseLayout) => Promise<void>;
  readonly hostwright: (verb: string, ...words: readonly string[]) => Promise<Finished>;
  /** Applies everything, which does what the plan says; the next plan is empty. */
  readonly becomes: () => Promise<void>;
  /** Ends with SIGKILL after so many milliseconds, unless it ends by itself before. */
  readonly killed: (milliseconds: number, verb: string, ...words: readonly string[]) => Promise<Finished>;
  readonly down: () => Promise<void>;
}

/** How the counting writer gets in, through the proxy of web1. */
export const counter: Door = {
  host: 'web1',
  address: '127.0.0.1',
  port: 3307,
  user: 'counter',
  password: 'Counting-0815',
  database: 'shop',
};

/** The account of the counting writer, where `app` has a host. */
export const counterAccount = {
  name: counter.user,
  password: counter.password,
  from: 'app',
  grants: { 'shop.*': ['ALL PRIVILEGES'] },
};

const plays = `- hosts: all
  roles: [pki]
- hosts: firewall
  optional: true
  roles: [firewall]
- hosts: db
  serial: 1
  max_fail_percentage: 100
  roles: [mysql]
- hosts: app
  optional: true
  roles: [database_proxy]
- hosts: arbitrator
  optional: true
  roles: [galera_arbitrator]
- hosts: backup:db
  optional: true
  roles: [backup]
`;

export async function databaseProject(hosts: TestHosts, layout: DatabaseLayout): Promise<DatabaseProject> {
  const folder = await mkdtemp(join(tmpdir(), 'hostwright-databases-'));
  const inventory = join(folder, 'hosts.yml');
  const { all } = parse(await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8')) as {
    readonly all: { readonly vars?: object };
  };
  const declare: DatabaseProject['declare'] = async ({ vars, groups }) => {
    const own = { mysql_databases: ['shop'], mysql_innodb_buffer_pool_size: '128M', ...vars };
    const children = Object.entries(groups).map(([name, members]) => [
      name,
      { hosts: Object.fromEntries(members.map((host) => [host, null])) },
    ]);
    const text = stringify({
      all: { ...all, vars: { ...all.vars, ...own }, children: Object.fromEntries(children) as object },
    });
    await writeFile(inventory, text);
  };
  await declare(layout);
  await writeFile(join(folder, 'site.yml'), plays);
  const words = (verb: string, more: readonly string[]) => [verb, '-i', inventory, ...more] as const;
  const hostwright: DatabaseProject['hostwright'] = (verb, ...more) => hosts.hostwright(...words(verb, more));
  return {
    declare,
    hostwright,
    async becomes() {
      const plan = await hostwright('plan', '--json');
      const apply = await hostwright('apply', '--yes', '--json');
      expect(apply.code, apply.stdout + apply.stderr).toBe(0);
      expect(named(apply, 'result')).toEqual(named(plan, 'change'));
      const again = await hostwright('plan');
      expect(again.code, again.stdout).toBe(0);
    },
    killed: (milliseconds, verb, ...more) =>
      run('timeout', ['-s', 'KILL', String(milliseconds / 1000), 'bin/hostwright', ...words(verb, more)], {
        env: hosts.environment,
      }),
    async down() {
      await hosts.down();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
