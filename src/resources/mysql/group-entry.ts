import { HostwrightError } from '../../errors.ts';
import { lines, sh } from '../../transport/shell.ts';
import type { Ask } from '../step.ts';
import { gtidsMinus } from './gtid-set.ts';
import { applier, channel, count, failed, inGroup, look, type Member } from './group-member-state.ts';
import { heldBy, ownState, type GroupServer } from './group-state.ts';
import { sqlBytes, sqlClient, sqlText } from './sql.ts';
import { createUserStatements } from './user.ts';

export const loginStatement = ({ user: name, password: secret }: Member): string =>
  `CHANGE REPLICATION SOURCE TO SOURCE_USER = ${sqlText(name)}, SOURCE_PASSWORD = ${sqlText(secret.reveal())} FOR CHANNEL '${channel}'`;

/** What the account needs as which members log in to each other, by level. */
export const memberPrivileges: Record<string, string[]> = {
  '*.*': ['REPLICATION SLAVE', 'CONNECTION_ADMIN', 'BACKUP_ADMIN', 'GROUP_REPLICATION_STREAM'],
  // Who is in the group.
  'performance_schema.*': ['SELECT'],
};

/**
 * Statements after which a server outside of a group can join one. The account is written beside the history: members
 * log in to each other before one has the history of the others.
 */
export function prepareStatements(member: Member, { follows }: GroupServer): readonly string[] {
  const accounts = member.from.flatMap((host) => [
    `DROP USER IF EXISTS ${sqlText(member.user)}@${sqlText(host)}`,
    ...createUserStatements({
      ...{ name: member.user, host, flavor: 'mysql', password: member.password, tls: 'x509' },
      grants: memberPrivileges,
    }),
  ]);
  return [
    'SET GLOBAL group_replication_bootstrap_group = OFF',
    'STOP GROUP_REPLICATION',
    ...(follows === null ? [] : ['STOP REPLICA', "RESET REPLICA ALL FOR CHANNEL ''"]),
    'SET SESSION sql_log_bin = 0',
    // read_only stays: only root writes.
    'SET GLOBAL super_read_only = OFF',
    ...accounts,
    'SET GLOBAL super_read_only = ON',
    loginStatement(member),
  ];
}

/** Held by all that join or begin. */
const lock = '/run/mysql-group.lock';

/** Seconds that a START of another run may take. */
const startTime = 90;

/** Runs alone: a server that begins a group must not be told to join one at the same time. */
export const alone = sh`exec 9>${lock}
flock -w ${startTime} 9 || { echo 'another run joins the group' >&2; exit 1; }`;

/** Whether the server has joined by itself, also while its turn was waited for. */
const hasJoined = sh`echo 'SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid;' |
  hw_sql --skip-column-names | grep -qxE 'ONLINE|RECOVERING'`;

/** Runs the statements of its standard input on a server that is outside of a group: they would end what it does in one. */
export const runOutside = lines([
  alone,
  sqlClient('mysql'),
  sh`if ${hasJoined}; then exit 0; fi
hw_sql --skip-column-names >/dev/null`,
]);

/** What the relay log held is in the group; it is no loss where there is one. */
async function withoutRelayLog(on: Ask): Promise<void> {
  const statements = ['STOP GROUP_REPLICATION', `RESET REPLICA ALL FOR CHANNEL '${applier}'`];
  await on(runOutside, sqlBytes(statements));
}

const lastWords = sh`grep -F "Plugin group_replication reported" /var/log/mysql/error.log 2>/dev/null | grep -F '[ERROR]' | tail -n 3 | sed 's/.*reported: //' >&2`;

/** Shell that begins a group on a server outside of one; whatever comes of it, no later join begins another one. */
export const beginGroup = lines([
  sqlClient('mysql'),
  alone,
  sh`if ${hasJoined}; then echo 'this server is in a group already' >&2; exit 1; fi
trap 'echo "SET GLOBAL group_replication_bootstrap_group = OFF;" | hw_sql' EXIT
printf '%s\n' 'STOP GROUP_REPLICATION;' 'SET GLOBAL group_replication_bootstrap_group = ON;' 'START GROUP_REPLICATION;' | hw_sql || {
  ${lastWords}
  exit 1
}`,
]);

/** Seconds that a server may be silent: the copy of all data ends with a restart. */
const restarting = 120;

export async function begin(on: Ask, how: Extract<Member['start'], { kind: 'begin' }>): Promise<void> {
  const { server } = await look(on);
  const missing = gtidsMinus('mysql', how.held, heldBy(server));
  if (missing !== '') {
    throw failed(
      `a group cannot be begun: this server lacks ${count(missing)} that it had when that was decided: ${missing}`,
    );
  }
  await on(beginGroup);
}

/** A START that finds nobody takes a minute. */
const tries = 3;

export async function join(
  on: Ask,
  member: Member,
  { from, reason }: Pick<Extract<Member['start'], { kind: 'join' }>, 'from' | 'reason'>,
): Promise<void> {
  let problem = '';
  for (let left = tries; left > 0; left -= 1) {
    if (from !== undefined && (await look(on)).isRelayLogDamaged) await withoutRelayLog(on);
    try {
      await on(sh`${member.join} wait`);
    } catch (error) {
      // A server that copies all data ends in between.
      if (!(error instanceof HostwrightError)) throw error;
      problem = error.message;
      if (reason !== undefined) break;
    }
    if (await becomesOnline(on, member)) return;
  }
  throw failed(
    [`this server does not get into the group`, problem, reason ?? '']
      .filter((text) => text !== '')
      .join('\n'),
  );
}

/** Whether it does, as long as it recovers. */
export async function becomesOnline(on: Ask, { seedTimeout: patience }: Member): Promise<boolean> {
  let silent = 0;
  for (let second = 0; second < patience; second += 1) {
    try {
      const state = ownState((await look(on)).server);
      if (state === inGroup) return true;
      if (state !== 'RECOVERING') return false;
      silent = 0;
    } catch (error) {
      silent += 1;
      if (silent > restarting) throw error;
    }
    await on(sh`sleep 1`);
  }
  return false;
}
