import { counterAccount, databaseProject, type DatabaseProject } from '../lab/database-project.ts';
import { bareHosts, type TestHosts } from '../lab/hosts.ts';
import { prepareCuts } from './network-cut.ts';

export const databases = ['web2', 'web3'] as const;
export type Database = (typeof databases)[number];

export const otherThan = (host: Database): Database => (host === 'web2' ? 'web3' : 'web2');

/** Two databases, web2 and web3, and a host with the proxy of an application, web1: nothing else. */
export interface PrimaryReplicaSite {
  readonly hosts: TestHosts;
  readonly hostwright: DatabaseProject['hostwright'];
  readonly killed: DatabaseProject['killed'];
  readonly sql: (host: Database, statement: string) => Promise<string>;
  /** Which server takes writes; undefined where it is not exactly one. */
  readonly writing: () => Promise<Database | undefined>;
  /** What it lacks to have one that takes writes, and another that follows it and acknowledges. */
  readonly judge: () => Promise<string | undefined>;
  readonly down: () => Promise<void>;
}

const state = `SELECT IF(@@read_only, 'closed', 'open'),
  (SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE SERVICE_STATE = 'ON'),
  (SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE SERVICE_STATE = 'ON'),
  (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_source_status'),
  (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_source_clients')`;

export async function primaryReplicaSite(
  lab: string,
  subnet: string,
  durability: 'fallback' | 'strict',
): Promise<PrimaryReplicaSite> {
  const hosts = await bareHosts(lab, subnet, 3);
  const { hostwright, killed, down } = await databaseProject(hosts, {
    vars: { mysql_durability: durability, mysql_users: [counterAccount] },
    groups: { app: ['web1'], db: databases },
  });
  const sql: PrimaryReplicaSite['sql'] = async (host, statement) =>
    (await hosts.shell(host, 'timeout 10 mysql --no-defaults -BN', `${statement};\n`)).trim();
  const stateOf = async (host: Database) => (await sql(host, state)).split('\t');

  const site: PrimaryReplicaSite = {
    hosts,
    hostwright,
    killed,
    sql,
    writing: async () => {
      const states = await Promise.all(databases.map((host) => stateOf(host).catch(() => [])));
      const open = databases.filter((_host, index) => states[index]?.[0] === 'open');
      return open.length === 1 ? open[0] : undefined;
    },
    judge: async () => {
      const writer = await site.writing();
      if (writer === undefined) return 'it is not one server that takes writes';
      const [, , , waits, replicas] = await stateOf(writer);
      const [, receives, applies] = await stateOf(otherThan(writer));
      if (receives !== '1' || applies !== '1') return `${otherThan(writer)} does not follow ${writer}`;
      return waits === 'ON' && Number(replicas) > 0 ? undefined : `commits of ${writer} wait for nobody`;
    },
    down,
  };
  const first = await hostwright('apply', '--yes', '--no-diff');
  if (first.code !== 0) throw new Error(`the site is not provisioned:\n${first.stdout}${first.stderr}`);
  await prepareCuts(hosts, databases);
  return site;
}
