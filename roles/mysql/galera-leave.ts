import {
  galeraFolder,
  galeraState,
  lines,
  parseGaleraState,
  sh,
  type RoleContext,
  type Script,
} from 'hostwright';
import { forgetCluster, sql } from './galera-outside.ts';
import { primaryOf } from './primary.ts';
import type { Starting, Topology } from './topology.ts';
import type { Variables } from './variables.ts';

type Context = RoleContext<Variables>;

/** Prints something only on a host that is, or was, in a cluster. */
export const memberState = sh`if [ -e /var/lib/mysql/grastate.dat ] || [ -e /var/lib/mariadb/grastate.dat ]; then
${galeraState}
fi`;

function isMember(answer: string | undefined): boolean {
  if (answer === undefined || answer === '') return false;
  const { unit, listens } = parseGaleraState(answer);
  return unit === 'active' && listens;
}

/** While others with data are there, they would go on taking writes without the primary. */
const isLast = sh`if [ -e "$HW/stays" ]; then exit 0; fi
others=$(hw_status incoming_addresses | tr , '\n' | grep -c :)
if [ "$(hw_status cluster_status)" = Primary ] && [ "$others" -gt 1 ]; then
  : >"$HW/stays"
  echo 'the primary leaves the cluster last, and another server is still in it and would take writes: see why that one has not left it' >&2
  exit 1
fi`;

/** A replica leaves while the primary is still there to be followed. */
const isNotLast = sh`if [ -e "$HW/stays" ]; then exit 0; fi
if [ "$(hw_status cluster_status)" = Primary ] && [ "$(hw_status incoming_addresses | tr , '\n' | grep -c :)" -lt 2 ]; then
  : >"$HW/stays"
  echo 'this is the only server of the cluster that has data, and the inventory says that another one takes the writes: start that one first, or set mysql_primary' >&2
  exit 1
fi`;

function leave(isPrimary: boolean): Script {
  return lines([
    sql,
    isPrimary ? isLast : isNotLast,
    sh`${galeraFolder}
systemctl restart mariadb.service
if [ "$(hw_sql 'SELECT @@global.wsrep_on')" = 0 ]; then ${forgetCluster}; fi`,
  ]);
}

/** Out of a cluster into `primary_replica`: replicas first, which follow the primary while that is still a member. */
export const leaving: Pick<Topology, 'observes' | 'rank'> & {
  readonly starting: (context: Context) => Starting | undefined;
} = {
  observes: ({ vars }) => (vars.mysql_flavor === 'mariadb' ? [{ name: 'galera', script: memberState }] : []),
  rank: (context) => {
    const isLeaving = [...context.observed('galera').values()].some(isMember);
    return isLeaving && primaryOf(context).name === context.host.name ? 1 : 0;
  },
  starting: (context) => {
    if (!isMember(context.observed('galera').get(context.host.name))) return undefined;
    const command: Starting['start'] = [
      'sh',
      '-euc',
      leave(primaryOf(context).name === context.host.name).text,
    ];
    return { start: command, startWithin: context.vars.mysql_seed_timeout, restart: command };
  },
};
