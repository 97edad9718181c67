import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { gtidsMinus } from './gtid-set.ts';
import { transactionsIn } from './own-transactions.ts';
import { sqlClient, systemDatabases } from './sql.ts';

const member = z.object({
  id: z.string(),
  address: z.string(),
  /** `ONLINE`, `RECOVERING`, `UNREACHABLE`, `OFFLINE`, `ERROR`. */
  state: z.string(),
  /** `PRIMARY` or `SECONDARY`; empty outside of a group. */
  role: z.string(),
});

const server = z.object({
  uuid: z.string(),
  /** GTIDs. */
  executed: z.string(),
  /** GTIDs that the group gave it, which it may not have executed yet. */
  received: z.string().nullable(),
  /** Beside those of the server itself. */
  databases: z.array(z.string()).nullable(),
  /** Tables without a primary key, of a server without the plugin: members of a group cannot write to them. */
  keyless: z.array(z.string()).nullable(),
  /** The server that it replicates from outside of a group. */
  follows: z.string().nullable(),
  /** As it sees them: outside of a group itself alone, and nobody without the plugin. */
  members: z.array(member).nullable(),
});

/** A server that answers. */
export type GroupServer = z.output<typeof server>;

/** What a member of a group of MySQL's Group Replication has, and what it sees. */
export interface GroupState {
  /** There are data on its disk. */
  readonly hasData: boolean;
  /** Undefined where no server answers. */
  readonly server: GroupServer | undefined;
}

/** One row, for `parseGroupServer`. */
export const groupQuery = `SELECT JSON_OBJECT('uuid', @@global.server_uuid, 'executed', REPLACE(@@global.gtid_executed, CHAR(10), ''),
  'received', (SELECT REPLACE(RECEIVED_TRANSACTION_SET, CHAR(10), '') FROM performance_schema.replication_connection_status
    WHERE CHANNEL_NAME = 'group_replication_applier'),
  'databases', (SELECT JSON_ARRAYAGG(SCHEMA_NAME) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ${systemDatabases}),
  'keyless', (SELECT JSON_ARRAYAGG(CONCAT(TABLE_SCHEMA, '.', TABLE_NAME)) FROM information_schema.TABLES
    WHERE NOT EXISTS (SELECT 1 FROM performance_schema.replication_group_members)
      AND TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ${systemDatabases}
      AND (TABLE_SCHEMA, TABLE_NAME) NOT IN (SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLE_CONSTRAINTS
        WHERE CONSTRAINT_TYPE = 'PRIMARY KEY')),
  'follows', (SELECT HOST FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = '' AND HOST <> ''),
  'members', (SELECT JSON_ARRAYAGG(JSON_OBJECT('id', MEMBER_ID, 'address', MEMBER_HOST, 'state', MEMBER_STATE, 'role', MEMBER_ROLE))
    FROM performance_schema.replication_group_members));`;

/** Prints the state of a member, for `parseGroupState`; changes nothing. */
export const groupState: Script = lines([
  sqlClient('mysql'),
  sh`if [ -n "$(ls -A /var/lib/mysql 2>/dev/null)" ]; then echo data; fi
if command -v mysql >/dev/null 2>&1; then
  printf '%s\n' ${groupQuery} | hw_sql --skip-column-names 2>/dev/null | sed 's/^/server /' || :
fi`,
]);

/** The row of `groupQuery`. An error of zod for another form. */
export function parseGroupServer(row: string): GroupServer {
  return server.parse(JSON.parse(row));
}

/** What `groupState` has printed. */
export function parseGroupState(text: string): GroupState {
  const found = text.split('\n').find((line) => line.startsWith('server '));
  return {
    hasData: text.split('\n').includes('data'),
    server: found === undefined ? undefined : parseGroupServer(found.slice('server '.length)),
  };
}

/** The state in its group, as the server itself says it; `OFFLINE` without the plugin too. */
export function ownState({ uuid, members }: GroupServer): string {
  return members?.find(({ id }) => id === uuid)?.state ?? 'OFFLINE';
}

/** Those that have a vote in their group, also while they still fetch what they have missed. */
const voting = new Set(['ONLINE', 'RECOVERING']);

/** It is online, and a majority votes: what it acknowledges stays. */
export function isInGroup(server: GroupServer): boolean {
  const all = server.members ?? [];
  const votes = all.filter(({ state }) => voting.has(state));
  return ownState(server) === 'ONLINE' && 2 * votes.length > all.length;
}

/** All that a server has: what it has executed, and what it was given and executes when it joins. */
export function heldBy({ executed, received }: GroupServer): string {
  return [executed, received ?? ''].filter((set) => set !== '').join(',');
}

/** How many transactions that is. */
export function countHeld({ executed, received }: GroupServer): number {
  return transactionsIn(executed) + transactionsIn(gtidsMinus('mysql', received ?? '', executed));
}

/** GTIDs that one server has and another one lacks; empty where there are none. */
export function heldAlone(one: GroupServer, other: GroupServer): string {
  return gtidsMinus('mysql', heldBy(one), heldBy(other));
}
