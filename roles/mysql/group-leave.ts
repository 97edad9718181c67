import {
  HostwrightError,
  isInGroup,
  lines,
  parseGroupState,
  sh,
  type RoleContext,
  type Script,
} from 'hostwright';
import { writerIn } from './group-replication-start.ts';
import { memberState } from './left-over.ts';
import { primaryOf } from './primary.ts';
import { sqlFunction } from './sql.ts';
import type { Starting, Topology } from './topology.ts';
import type { Variables } from './variables.ts';

type Context = RoleContext<Variables>;

/** With fewer hosts there was no group. */
const fewest = 3;

function isMember(answer: string): boolean {
  if (answer === '') return false;
  const { server } = parseGroupState(answer);
  return server !== undefined && isInGroup(server);
}

/** The member that takes the writes of the group is the one that stays the primary. */
export function checkLeaving(context: Context): void {
  const { host, site, observed } = context;
  const answers = observed('mysql group');
  const hosts = site.hosts('db');
  const address = writerIn(hosts.map((one) => ({ host: one, answer: answers.get(one.name) || undefined })));
  const writer = hosts.find((one) => one.address === address);
  const primary = primaryOf(context);
  if (writer === undefined || writer.name === primary.name) return;
  throw new HostwrightError(
    'E_VARIABLE',
    `${writer.name} takes the writes of the group, and the inventory says that ${primary.name} does`,
    {
      place: { host: host.name },
      hint: `set mysql_primary: ${writer.name}: the member that takes the writes becomes the primary, and the others follow it`,
    },
  );
}

/**
 * Before the files of `primary_replica` are those of a server that is in a group: its primary leaves last, and is the
 * one of the inventory. A member that goes on takes the writes of one that leaves.
 */
function guard(context: Context): Script {
  const { name, address } = primaryOf(context);
  const query =
    "SELECT CONCAT_WS(' ', IF(MEMBER_ID = @@server_uuid, 'own', 'other'), MEMBER_HOST, MEMBER_ROLE) FROM performance_schema.replication_group_members WHERE MEMBER_STATE <> 'OFFLINE';";
  const isLast = sh`if printf '%s\n' "$seen" | grep -q '^other'; then
  echo 'this server takes the writes of a group that others are still in, and one of them would take the writes, no changes made: keep all members in the group db of the inventory until they have left, and see why they have not' >&2
  exit 1
fi`;
  return lines([
    sqlFunction('mysql'),
    sh`seen=$(printf '%s\n' ${query} | hw_sql --skip-column-names 2>/dev/null) || seen=
writer=$(printf '%s\n' "$seen" | sed -n 's/^[a-z]* \(.*\) PRIMARY$/\1/p')
if [ -n "$seen" ] && [ "$writer" != ${address} ]; then
  printf '%s\n' "this server is in a group of which $writer takes the writes, and the inventory says that "${name}' does, no changes made: set mysql_primary to that server' >&2
  exit 1
fi`,
    ...(context.host.name === name ? [isLast] : []),
  ]);
}

/** A commit that is under way when a primary leaves its group waits for a minute: none is, once it is closed. */
const closeFirst = lines([
  sqlFunction('mysql'),
  sh`echo 'SET GLOBAL super_read_only = ON;' | hw_sql
systemctl restart mysql.service`,
]);

/** Out of a group into `primary_replica`: replicas first, which follow the primary while that is still a member. */
export const leavingGroup: Pick<Topology, 'observes' | 'rank' | 'starting' | 'guard'> = {
  observes: ({ site }) =>
    site.hosts('db').length < fewest ? [] : [{ name: 'mysql group', script: memberState }],
  rank: (context) => {
    const isLeaving = [...context.observed('mysql group').values()].some(isMember);
    return isLeaving && primaryOf(context).name === context.host.name ? 1 : 0;
  },
  starting: (context) => {
    const answer = context.observed('mysql group').get(context.host.name) ?? '';
    if (!isMember(answer) || primaryOf(context).name !== context.host.name) return undefined;
    const command: Starting['start'] = ['sh', '-euc', closeFirst.text];
    return { start: command, startWithin: 300, restart: command };
  },
  guard,
};
