import {
  counterAccount,
  databaseProject,
  type DatabaseLayout,
  type DatabaseProject,
} from '../lab/database-project.ts';
import { bareHosts, type TestHosts } from '../lab/hosts.ts';
import { prepareCuts } from './network-cut.ts';

export const members = ['web2', 'web3', 'web4'] as const;
export type Member = (typeof members)[number];

/** A group of three databases, and a host with the proxy of an application, web1, behind firewalls: nothing else. */
export interface GroupSite {
  readonly hosts: TestHosts;
  readonly hostwright: DatabaseProject['hostwright'];
  readonly killed: DatabaseProject['killed'];
  readonly becomes: DatabaseProject['becomes'];
  /** Sets variables in the inventory, beside those that it begins with. */
  readonly declare: (vars: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly sql: (host: Member, statement: string) => Promise<string>;
  /** The member that takes the writes. */
  readonly writing: () => Promise<Member>;
  /** What keeps it from being one group of three of which one takes writes; undefined where nothing does. */
  readonly judge: () => Promise<string | undefined>;
  readonly down: () => Promise<void>;
}

const layout: DatabaseLayout = {
  vars: { mysql_topology: 'group', mysql_users: [counterAccount] },
  groups: { app: ['web1'], db: members, firewall: ['web1', ...members] },
};

/** Who is in the group, as a member sees it: `web2's number ONLINE PRIMARY`, one behind the other. */
const view = `SELECT CONCAT(IF(@@read_only, 'closed ', 'open '), GROUP_CONCAT(CONCAT_WS(' ', MEMBER_ID, MEMBER_STATE, MEMBER_ROLE)
  ORDER BY MEMBER_ID)) FROM performance_schema.replication_group_members`;

export async function groupSite(lab: string, subnet: string): Promise<GroupSite> {
  const hosts = await bareHosts(lab, subnet, 4);
  const { hostwright, killed, becomes, declare, down } = await databaseProject(hosts, layout);
  const sql: GroupSite['sql'] = async (host, statement) =>
    (await hosts.shell(host, 'timeout 20 mysql --no-defaults -BN', `${statement};\n`)).trim();
  const site: GroupSite = {
    hosts,
    hostwright,
    killed,
    becomes,
    declare: (vars) => declare({ ...layout, vars: { ...layout.vars, ...vars } }),
    sql,
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
    down,
  };
  const first = await site.hostwright('apply', '--yes', '--no-diff');
  if (first.code !== 0) throw new Error(`the site is not provisioned:\n${first.stdout}${first.stderr}`);
  await prepareCuts(hosts, members);
  return site;
}
