import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopHost } from '../../src/lab/host.ts';
import { labSettings } from '../../src/lab/settings.ts';
import type { Door } from '../lab/counting-writer.ts';
import { bareHosts, run, type Finished, type TestHosts } from '../lab/hosts.ts';

export const databases = ['web2', 'web3'] as const;
export type Database = (typeof databases)[number];

export const otherThan = (host: Database): Database => (host === 'web2' ? 'web3' : 'web2');

/** Two databases, web2 and web3, and a host with the proxy of an application, web1: nothing else. */
export interface PrimaryReplicaSite {
  readonly hosts: TestHosts;
  readonly hostwright: (...words: readonly string[]) => Promise<Finished>;
  /** Ends with SIGKILL after so many milliseconds, unless it ends by itself before. */
  readonly killed: (milliseconds: number, ...words: readonly string[]) => Promise<Finished>;
  readonly sql: (host: Database, statement: string) => Promise<string>;
  /** How the counting writer gets in, through the proxy. */
  readonly door: Door;
  readonly losePower: (host: Database) => Promise<void>;
  readonly powerIsBack: () => Promise<void>;
  /** Which server takes writes; undefined where it is not exactly one. */
  readonly writing: () => Promise<Database | undefined>;
  /** What it lacks to have one that takes writes, and another that follows it and acknowledges. */
  readonly judge: () => Promise<string | undefined>;
  readonly down: () => Promise<void>;
}

const password = 'Counting-0815';

const layout = (durability: string): string => `    mysql_durability: ${durability}
    mysql_databases: [shop]
    mysql_users: [{ name: shop, password: ${password}, from: app, grants: { 'shop.*': [ALL PRIVILEGES] } }]
    mysql_innodb_buffer_pool_size: 128M
  children:
    app: { hosts: { web1: } }
    db: { hosts: { web2: , web3: } }
`;

const plays = `- hosts: all
  roles: [pki]
- hosts: db
  serial: 1
  max_fail_percentage: 100
  roles: [mysql]
- hosts: app
  roles: [database_proxy]
`;

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
  const settings = labSettings(hosts.environment);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-primary-replica-'));
  const inventory = await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8');
  const file = join(project, 'hosts.yml');
  await writeFile(file, inventory.slice(0, inventory.indexOf('  children:')) + layout(durability));
  await writeFile(join(project, 'site.yml'), plays);

  const command = (words: readonly string[]): readonly string[] => {
    const [verb = '', ...rest] = words;
    return [verb, '-i', file, ...rest];
  };
  const hostwright: PrimaryReplicaSite['hostwright'] = (...words) => hosts.hostwright(...command(words));
  const sql: PrimaryReplicaSite['sql'] = async (host, statement) =>
    (await hosts.shell(host, 'timeout 10 mysql --no-defaults -BN', `${statement};\n`)).trim();
  const stateOf = async (host: Database) => (await sql(host, state)).split('\t');

  const site: PrimaryReplicaSite = {
    hosts,
    hostwright,
    killed: (milliseconds, ...words) =>
      run('timeout', ['-s', 'KILL', String(milliseconds / 1000), 'bin/hostwright', ...command(words)], {
        env: hosts.environment,
      }),
    sql,
    door: {
      host: 'web1',
      address: '127.0.0.1',
      port: 3307,
      user: 'shop',
      password,
      database: 'shop',
    },
    losePower: (host) => stopHost(settings, host),
    powerIsBack: async () => {
      const up = await hosts.hostwright('lab', 'up', '--hosts', '3');
      if (up.code !== 0) throw new Error(up.stdout + up.stderr);
    },
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
    down: async () => {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
  const first = await hostwright('apply', '--yes', '--no-diff');
  if (first.code !== 0) throw new Error(`the site is not provisioned:\n${first.stdout}${first.stderr}`);
  const cutter = `dpkg -s iptables >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -qy iptables; } >/dev/null 2>&1`;
  await Promise.all(databases.map((host) => hosts.shell(host, cutter)));
  return site;
}
