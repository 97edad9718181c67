import {
  directory,
  file,
  groupState,
  HostwrightError,
  lines,
  mysqlGroupMember,
  service,
  sh,
  unit,
  type GroupStart,
  type Resource,
  type RoleContext,
  type Script,
  type SiteHost,
} from 'hostwright';
import { accountOfServers, accounts, type Account } from './accounts.ts';
import type { Member } from './cannot-begin.ts';
import { groupStartOf, writerIn } from './group-replication-start.ts';
import { primaryOf } from './primary.ts';
import { authority, certificate, key, serviceId } from './server.ts';
import { sqlFunction } from './sql.ts';
import type { Place, Topology } from './topology.ts';
import type { Variables } from './variables.ts';

type Context = RoleContext<Variables>;

const program = '/usr/local/lib/hostwright/mysql-join';
const fewest = 3;

/** With two a group cannot tell which half is cut off. */
function membersOf({ site }: Pick<Place, 'site'>): readonly SiteHost[] {
  const all = site.hosts('db');
  if (all.length >= fewest) return all;
  throw new HostwrightError('E_VARIABLE', `mysql_topology: group has ${all.length} members`, {
    found: all.map(({ name }) => name).join(', '),
    expected: `at least ${fewest} hosts in the group db`,
    hint: 'each of them has all data: MySQL knows no member that only votes. With mysql_flavor: mariadb the third host may be an arbitrator',
  });
}

function answersOf(context: Context): readonly Member[] {
  const answers = context.observed('mysql group');
  return membersOf(context).map((host) => ({ host, answer: answers.get(host.name) }));
}

function decide(context: Context): GroupStart {
  return groupStartOf(context.host.name, primaryOf(context).name, answersOf(context));
}

/** Where accounts and databases are made: on the server that takes the writes, or will. */
function writerOf(context: Context): SiteHost {
  const answers = answersOf(context);
  const address = writerIn(answers);
  const first = primaryOf(context);
  const hosts = membersOf(context);
  return (
    hosts.find((host) => host.address === address) ??
    hosts.find((host) => groupStartOf(host.name, first.name, answers).kind === 'begin') ??
    first
  );
}

function endpoint(vars: Variables, { address }: SiteHost): string {
  return `${address.includes(':') ? `[${address}]` : address}:${vars.mysql_port}`;
}

const members = 'performance_schema.replication_group_members';

/**
 * A member that takes the writes hands them over first, and is back in the group at the end. The second call, after
 * the files were restored, finds nothing to be done.
 */
const restart: Script = lines([
  sqlFunction('mysql', 60),
  sh`if [ -e "$HW/stays" ]; then exit 0; fi
ask() { printf '%s;\n' "$1" | hw_sql --skip-column-names 2>/dev/null; }
own=$(ask 'SELECT CONCAT(MEMBER_STATE, MEMBER_ROLE) FROM ${members} WHERE MEMBER_ID = @@server_uuid') || own=
other=$(ask "SELECT MEMBER_ID FROM ${members} WHERE MEMBER_ID <> @@server_uuid AND MEMBER_STATE = 'ONLINE' LIMIT 1") || other=
case $own in ONLINE*)
  if [ -z "$other" ]; then
    : >"$HW/stays"
    echo 'cannot restart the only member of the group, which would end it: start another one first' >&2
    exit 1
  fi ;;
esac
if [ "$own" = ONLINEPRIMARY ]; then ask "SELECT group_replication_set_as_primary('$other')" >/dev/null; fi
systemctl restart mysql.service
case $own in ONLINE*) ;; *) exit 0 ;; esac
n=0
until [ "$(ask 'SELECT MEMBER_STATE FROM ${members} WHERE MEMBER_ID = @@server_uuid')" = ONLINE ]; do
  n=$((n + 1))
  if [ "$n" -gt 120 ]; then echo 'it does not get back into the group' >&2; exit 1; fi
  ${program} || :
  sleep 1
done`,
]);

const restartCommand: [string, string, string] = ['sh', '-euc', restart.text];

/** Whom the members log in to each other as. */
const accountOfMembers = (place: Place): Account =>
  accountOfServers(place, 'replication', {
    '*.*': ['REPLICATION SLAVE', 'CONNECTION_ADMIN', 'BACKUP_ADMIN', 'GROUP_REPLICATION_STREAM'],
  });

function member(context: Context): Resource {
  const { vars, host } = context;
  const { name, password, from } = accountOfMembers(context);
  return mysqlGroupMember(
    host.name,
    {
      user: name,
      password,
      from: [...from],
      port: vars.mysql_port,
      ...{ ca: authority, certificate, key },
      join: [program],
      start: decide(context),
      seedTimeout: vars.mysql_seed_timeout,
      ...(vars.mysql_discard_transactions === undefined ? {} : { discard: vars.mysql_discard_transactions }),
    },
    { needs: [serviceId('mysql'), `file:${program}`] },
  );
}

/** What joins a server again that has lost its group, or was started. */
function joining({ asset, template }: Context): readonly Resource[] {
  const content = (part: 'service' | 'timer'): string =>
    String(template(`mysql/mysql-join.${part}.hbs`, { program }));
  return [
    directory('/usr/local/lib/hostwright'),
    file(program, { content: asset('mysql-join.sh').toString('utf8'), mode: '0755' }),
    unit('mysql-join.service', { content: content('service') }, { needs: [`file:${program}`] }),
    unit('mysql-join.timer', { content: content('timer') }),
    service('mysql-join.timer'),
  ];
}

/** Three servers or more with the same data and a vote each; they choose the one that takes the writes. */
export const groupReplication: Topology = {
  settings: (context) => {
    const { vars, host, template } = context;
    return String(
      template('mysql/group.mysql.hbs', {
        address: host.address,
        group: vars.mysql_group_name,
        local: endpoint(vars, host),
        seeds: membersOf(context)
          .map((one) => endpoint(vars, one))
          .join(','),
        ...{ authority, certificate, key },
      }),
    ).trimEnd();
  },
  observes: () => [{ name: 'mysql group', script: groupState }],
  declares: (place) => [
    {
      kind: 'database',
      flavor: place.vars.mysql_flavor,
      role: primaryOf(place).name === place.host.name ? 'primary' : 'replica',
      port: place.vars.mysql_port,
      checkPort: place.vars.mysql_writer_check_port,
    },
  ],
  starting: ({ vars }) => ({
    start: restartCommand,
    startWithin: vars.mysql_seed_timeout,
    restart: restartCommand,
  }),
  resources: (context) => {
    const { host } = context;
    const own = [member(context), ...joining(context)];
    if (writerOf(context).name !== host.name) return own;
    const needs = [serviceId('mysql'), `mysql_group_member:${host.name}` as const];
    return [...own, ...accounts(context, [accountOfMembers(context)], { needs })];
  },
};
