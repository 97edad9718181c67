import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopHost } from '../../src/lab/host.ts';
import { labSettings } from '../../src/lab/settings.ts';
import type { Door } from '../lab/counting-writer.ts';
import { bareHosts, type Finished, type TestHosts } from '../lab/hosts.ts';

export const members = ['web2', 'web3', 'web4'] as const;
export type Member = (typeof members)[number];

/** A group of three databases, and a host with the proxy of an application, web1: nothing else. */
export interface GroupSite {
  readonly hosts: TestHosts;
  readonly hostwright: (...words: readonly string[]) => Promise<Finished>;
  readonly sql: (host: Member, statement: string) => Promise<string>;
  /** How the counting writer gets in, through the proxy. */
  readonly door: Door;
  readonly losePower: (host: Member) => Promise<void>;
  readonly powerIsBack: () => Promise<void>;
  /** The member that takes the writes. */
  readonly writing: () => Promise<Member>;
  /** What keeps it from being one group of three of which one takes writes; undefined where nothing does. */
  readonly judge: () => Promise<string | undefined>;
  readonly down: () => Promise<void>;
}

const password = 'Counting-0815';

const layout = `    mysql_topology: group
    mysql_databases: [shop]
    mysql_users: [{ name: shop, password: ${password}, from: app, grants: { 'shop.*': [ALL PRIVILEGES] } }]
    mysql_innodb_buffer_pool_size: 128M
  children:
    app: { hosts: { web1: } }
    db: { hosts: { web2: , web3: , web4: } }
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

/** Who is in the group, as a member sees it: `web2's number ONLINE PRIMARY`, one behind the other. */
const view = `SELECT CONCAT(IF(@@read_only, 'closed ', 'open '), GROUP_CONCAT(CONCAT_WS(' ', MEMBER_ID, MEMBER_STATE, MEMBER_ROLE)
  ORDER BY MEMBER_ID)) FROM performance_schema.replication_group_members`;

export async function groupSite(lab: string, subnet: string): Promise<GroupSite> {
  const hosts = await bareHosts(lab, subnet, 4);
  const settings = labSettings(hosts.environment);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-group-'));
  const inventory = await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8');
  const file = join(project, 'hosts.yml');
  await writeFile(file, inventory.slice(0, inventory.indexOf('  children:')) + layout);
  await writeFile(join(project, 'site.yml'), plays);

  const hostwright = ([verb = '', ...words]: readonly string[]) =>
    hosts.hostwright(verb, '-i', file, ...words);
  const sql: GroupSite['sql'] = async (host, statement) =>
    (await hosts.shell(host, 'timeout 20 mysql --no-defaults -BN', `${statement};\n`)).trim();
  const site: GroupSite = {
    hosts,
    hostwright: (...words) => hostwright(words),
    sql,
    door: { host: 'web1', address: '127.0.0.1', port: 3307, user: 'shop', password, database: 'shop' },
    losePower: (host) => stopHost(settings, host),
    powerIsBack: async () => {
      const up = await hosts.hostwright('lab', 'up', '--hosts', '4');
      if (up.code !== 0) throw new Error(up.stdout + up.stderr);
    },
    writing: async () => {
      const views = await Promise.all(members.map((host) => sql(host, view).catch(() => '')));
      const open = members.filter((_host, index) => views[index]?.startsWith('open '));
      const [writer] = open;
      if (writer === undefined || open.length > 1) throw new Error(`writes are taken by ${open.join(', ')}`);
      return writer;
    },
    judge: async () => {
      const views = await Promise.all(members.map((host) => sql(host, view)));
      const seen = views.map((text) => text.replace(/^(?:open|closed) /, ''));
      if (new Set(seen).size !== 1) return `they do not see the same: ${seen.join(' / ')}`;
      if ((seen[0]?.match(/ ONLINE /g) ?? []).length !== members.length)
        return `not all are in the group: ${seen[0]}`;
      const open = views.filter((text) => text.startsWith('open '));
      return open.length === 1 ? undefined : `${open.length} take writes`;
    },
    down: async () => {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
  const first = await site.hostwright('apply', '--yes', '--no-diff');
  if (first.code !== 0) throw new Error(`the site is not provisioned:\n${first.stdout}${first.stderr}`);
  const cutter =
    'dpkg -s iptables >/dev/null 2>&1 || { apt-get -qq update; apt-get install -qy iptables; } >/dev/null 2>&1';
  await Promise.all(members.map((host) => hosts.shell(host, cutter)));
  return site;
}
