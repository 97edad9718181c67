import { expect } from 'vitest';
import {
  counterAccount,
  databaseProject,
  type DatabaseLayout,
  type DatabaseProject,
} from './database-project.ts';
import { bareHosts, type TestHosts } from './hosts.ts';

/** Two databases, web2 and web3, and an arbitrator, web1, on hosts that are bare until they are applied. */
export interface GaleraSite {
  readonly hosts: TestHosts;
  readonly hostwright: DatabaseProject['hostwright'];
  /** Says what is declared, with variables beside; what is applied is another thing. */
  readonly declare: (topology: Topology, more?: object) => Promise<void>;
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

/** With `proxies` each host has one, and the counting writer an account. */
function layoutOf(topology: Topology, proxies: boolean, more: object): DatabaseLayout {
  return {
    vars: {
      mysql_topology: topology,
      mysql_flavor: 'mariadb',
      ...(proxies ? { mysql_users: [counterAccount] } : {}),
      ...more,
    },
    groups: {
      app: proxies ? ['web1', 'web2', 'web3'] : [],
      db: ['web2', 'web3'],
      ...(topology === 'group' ? { arbitrator: ['web1'] } : {}),
    },
  };
}

export async function galeraSite(
  lab: string,
  subnet: string,
  { proxies = false, topology = 'group' }: { readonly proxies?: boolean; readonly topology?: Topology } = {},
): Promise<GaleraSite> {
  const hosts = await bareHosts(lab, subnet, 3);
  const project = await databaseProject(hosts, layoutOf(topology, proxies, {}));
  const { hostwright, down } = project;
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
    declare: (as, more = {}) => project.declare(layoutOf(as, proxies, more)),
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
    down,
  };
}
