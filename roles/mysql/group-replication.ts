import {
  type DatabaseDeclaration,
  directory,
  file,
  groupState,
  HostwrightError,
  lines,
  memberPrivileges,
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
import { groupStartOf, writerIn, type Member } from './group-replication-start.ts';
import { hasOpener, joiner, opener, openerState, withoutOpener } from './left-over.ts';
import { primaryOf } from './primary.ts';
import { authority, certificate, key, serviceId } from './server.ts';
import { sqlFunction } from './sql.ts';
import type { Place, Topology } from './topology.ts';
import type { Variables } from './variables.ts';

type Context = RoleContext<Variables>;

const { program } = joiner;
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

/** What others must know of a member: what of its data may be lost. */
interface MemberDeclaration extends DatabaseDeclaration {
  readonly discard?: string;
}

function answersOf(context: Context): readonly Member[] {
  const answers = context.observed('mysql group');
  const discards = new Map(
    context.site
      .declared<MemberDeclaration>('database')
      .map((declared) => [declared.host.name, declared.discard] as const),
  );
  return membersOf(context).map((host) => ({
    host,
    answer: answers.get(host.name),
    discard: discards.get(host.name),
  }));
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
 * the files were restored, finds nothing to be done. Nothing else opens a member: it was one of two until now.
 */
const restart: Script = lines([
  sqlFunction('mysql', 60),
  sh`if [ -e "$HW/stays" ]; then exit 0; fi
if [ -e "$HW/opener" ]; then
  systemctl enable --quiet ${opener}
  systemctl restart mysql.service
  exit
fi
if systemctl --quiet is-enabled ${opener} 2>/dev/null; then
  : >"$HW/opener"
  systemctl disable --quiet --now ${opener}
fi
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
const accountOfMembers = (place: Place): Account => accountOfServers(place, 'replication', memberPrivileges);

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
    unit(joiner.service, { content: content('service') }, { needs: [`file:${program}`] }),
    unit(joiner.timer, { content: content('timer') }),
    service(joiner.timer),
  ];
}

/**
 * A server that takes writes, or follows one that does, goes on as it is where no group can be begun now: with these
 * lines it would wait, read-only, for what a person must do first.
 */
function mayStart(context: Context): Script | undefined {
  const start = decide(context);
  const isOutside = hasOpener(context.observed('mysql group').get(context.host.name));
  const reason = start.kind === 'refuse' || (start.kind === 'join' && isOutside) ? start.reason : undefined;
  if (reason === undefined) return undefined;
  return sh`printf '%s\n' ${reason} >&2
exit 1`;
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
  observes: () => [{ name: 'mysql group', script: lines([groupState, openerState]) }],
  declares: (place): readonly MemberDeclaration[] => [
    {
      kind: 'database',
      flavor: place.vars.mysql_flavor,
      role: primaryOf(place).name === place.host.name ? 'primary' : 'replica',
      port: place.vars.mysql_port,
      checkPort: place.vars.mysql_writer_check_port,
      ...(place.vars.mysql_discard_transactions === undefined
        ? {}
        : { discard: place.vars.mysql_discard_transactions }),
    },
  ],
  guard: mayStart,
  rank: (context) => (decide(context).kind === 'begin' ? -1 : 0),
  starting: ({ vars }) => ({
    start: restartCommand,
    startWithin: vars.mysql_seed_timeout,
    restart: restartCommand,
  }),
  resources: (context) => {
    const { host, observed } = context;
    const needed = `mysql_group_member:${host.name}` as const;
    const own = [
      member(context),
      ...joining(context),
      ...withoutOpener(observed('mysql group').get(host.name), [needed]),
    ];
    if (writerOf(context).name !== host.name) return own;
    const needs = [serviceId('mysql'), needed];
    return [...own, ...accounts(context, [accountOfMembers(context)], { needs })];
  },
};
