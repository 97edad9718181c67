import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bareHosts, type Finished, type TestHosts } from './hosts.ts';

/** Two databases, web2 and web3, and an arbitrator, web1, on hosts that are bare until they are applied. */
export interface GaleraSite {
  readonly hosts: TestHosts;
  readonly hostwright: (verb: string, ...words: readonly string[]) => Promise<Finished>;
  /** Says what is declared; what is applied is another thing. */
  readonly declare: (topology: Topology, ...more: readonly string[]) => Promise<void>;
  /** What a statement prints, or its error. */
  readonly sql: (host: string, statement: string) => Promise<string>;
  /** The cluster that a server is in: one with another is in a second cluster. */
  readonly cluster: (host: string) => Promise<string>;
  /** Waits until both servers are in one cluster of three. */
  readonly isWhole: () => Promise<void>;
  /** Applies everything; the next plan is empty. */
  readonly applied: () => Promise<void>;
  readonly down: () => Promise<void>;
}

type Topology = 'group' | 'primary_replica';

export const password = 'Counter1';

/** With `proxies` each host has one, and the counting writer an account. */
function layoutOf(topology: Topology, proxies: boolean, more: readonly string[]): string {
  return `    mysql_topology: ${topology}
    mysql_flavor: mariadb
    mysql_databases: [shop]
    mysql_users: [${proxies ? `{ name: counter, password: ${password}, from: app, grants: { shop.*: [SELECT, INSERT, CREATE] } }` : ''}]
    mysql_innodb_buffer_pool_size: 128M
${more.map((line) => `    ${line}\n`).join('')}  children:
    app: { hosts: { ${proxies ? 'web1: , web2: , web3: ' : ''} } }
    db: { hosts: { web2: , web3: } }
${topology === 'group' ? '    arbitrator: { hosts: { web1: } }\n' : ''}`;
}

const plays = `- hosts: all
  roles: [pki]
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
`;

export async function galeraSite(
  lab: string,
  subnet: string,
  { proxies = false, topology = 'group' }: { readonly proxies?: boolean; readonly topology?: Topology } = {},
): Promise<GaleraSite> {
  const hosts = await bareHosts(lab, subnet, 3);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-galera-'));
  const inventory = await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8');
  const declare: GaleraSite['declare'] = async (as, ...more) => {
    const given = inventory.slice(0, inventory.indexOf('  children:'));
    await writeFile(join(project, 'hosts.yml'), given + layoutOf(as, proxies, more));
  };
  await declare(topology);
  await writeFile(join(project, 'site.yml'), plays);

  const hostwright: GaleraSite['hostwright'] = async (verb, ...words) =>
    await hosts.hostwright(verb, '-i', join(project, 'hosts.yml'), ...words);
  const sql: GaleraSite['sql'] = async (host, statement) => {
    const answer = await hosts.ssh(host, `mariadb --batch --skip-column-names -e "${statement}"`);
    return answer.code === 0 ? answer.stdout.trim() : answer.stderr;
  };
  const status = async (host: string, name: string): Promise<string> =>
    await sql(
      host,
      `SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'wsrep_${name}'`,
    );
  const cluster = async (host: string): Promise<string> => await status(host, 'cluster_state_uuid');
  return {
    hosts,
    hostwright,
    declare,
    sql,
    cluster,
    isWhole: async () => {
      for (const host of ['web2', 'web3'])
        await expect.poll(() => status(host, 'cluster_size'), { timeout: 120_000, interval: 500 }).toBe('3');
      expect(await cluster('web3')).toBe(await cluster('web2'));
    },
    applied: async () => {
      const apply = await hostwright('apply', '--yes');
      expect(apply.code, apply.stdout + apply.stderr).toBe(0);
      const plan = await hostwright('plan');
      expect(plan.code, plan.stdout).toBe(0);
    },
    down: async () => {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
}
