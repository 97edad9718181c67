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
  readonly killed: DatabaseProject['killed'];
  readonly becomes: DatabaseProject['becomes'];
  /** Says what is declared, with variables beside; what is applied is another thing. */
  readonly declare: (topology: Topology, more?: object) => Promise<void>;
  /** What a statement prints, or its error. */
  readonly sql: (host: string, statement: string) => Promise<string>;
  /** The cluster that a server is in: one with another is in a second cluster. */
  readonly cluster: (host: string) => Promise<string>;
  /** Waits until both servers are in one cluster of three, in step with it. */
  readonly isWhole: () => Promise<void>;
  /** What keeps both servers from being in one cluster of three, in step with it; undefined where nothing does. */
  readonly judge: () => Promise<string | undefined>;
  /** Applies everything; the next plan is empty. */
  readonly applied: () => Promise<void>;
  readonly down: () => Promise<void>;
}

type Topology = 'group' | 'primary_replica';

export const databases = ['web2', 'web3'] as const;

/** With `proxies` each host has one and a firewall, the counting writer has an account, and web1 stores backups. */
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
      ...(proxies ? { backup: ['web1'], firewall: ['web1', 'web2', 'web3'] } : {}),
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
  const judge: GaleraSite['judge'] = async () => {
    const seen = async (host: string): Promise<string> =>
      [
        await status(host, 'cluster_size'),
        await status(host, 'local_state_comment'),
        await cluster(host),
      ].join(' ');
    const [one = '', other = ''] = await Promise.all(databases.map(seen));
    return one === other && one.startsWith('3 Synced ') ? undefined : `web2: ${one}; web3: ${other}`;
  };
  return {
    hosts,
    hostwright,
    killed: project.killed,
    becomes: project.becomes,
    declare: (as, more = {}) => project.declare(layoutOf(as, proxies, more)),
    sql,
    cluster,
    judge,
    isWhole: () => expect.poll(judge, { timeout: 240_000, interval: 500 }).toBe(undefined),
    applied: async () => {
      const apply = await hostwright('apply', '--yes');
      expect(apply.code, apply.stdout + apply.stderr).toBe(0);
      const plan = await hostwright('plan');
      expect(plan.code, plan.stdout).toBe(0);
    },
    down,
  };
}
