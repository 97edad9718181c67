import { sh, type Script } from 'hostwright';
import type { Variables } from './variables.ts';

type Flavor = Variables['mysql_flavor'];

/** What a switch says to a server, in the words of its flavor. */
export interface SwitchSql {
  /** Refuses writes; waits for those that are under way. */
  readonly close: string;
  readonly open: readonly string[];
  /** An expression: what the server has, as GTIDs. */
  readonly executed: string;
  /** A row of JSON: `executed`, what the server has as GTIDs, and `semiSync`, how long a commit waits, or null. */
  readonly closedState: string;
  /** An expression: 0 as soon as the server has applied all of these GTIDs. */
  readonly waitFor: (gtids: string, seconds: number) => string;
  /** Commits wait so many milliseconds for a replica. */
  readonly waitForReplica: (milliseconds: string) => readonly string[];
  readonly waitForNobody: string;
  readonly start: string;
  readonly stop: string;
  readonly forget: string;
  /** Receives nothing more, and goes on to apply. */
  readonly onlyApply: readonly string[];
  /** Prints all that was received, as GTIDs; runs after `onlyApply`. */
  readonly received: Script;
  /** Before a server that has written all itself follows another. */
  readonly beforeFollowing: readonly string[];
}

/** In performance_schema, because the variables themselves are there only with the plugin. */
export const mysqlGlobal = (name: string): string =>
  `(SELECT VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME = '${name}')`;

const mysql: SwitchSql = {
  close: 'SET GLOBAL super_read_only = ON',
  open: ['SET GLOBAL offline_mode = OFF', 'SET GLOBAL super_read_only = OFF', 'SET GLOBAL read_only = OFF'],
  executed: "REPLACE(@@global.gtid_executed, CHAR(10), '')",
  closedState: `SELECT JSON_OBJECT('executed', REPLACE(@@global.gtid_executed, CHAR(10), ''), 'semiSync',
    IF(${mysqlGlobal('rpl_semi_sync_source_enabled')} = 'ON', ${mysqlGlobal('rpl_semi_sync_source_timeout')}, NULL))`,
  waitFor: (gtids, seconds) => `WAIT_FOR_EXECUTED_GTID_SET('${gtids}', ${seconds})`,
  waitForReplica: (milliseconds) => [
    `SET GLOBAL rpl_semi_sync_source_timeout = ${milliseconds}`,
    'SET GLOBAL rpl_semi_sync_source_enabled = ON',
  ],
  waitForNobody: 'SET GLOBAL rpl_semi_sync_source_enabled = OFF',
  start: 'START REPLICA',
  stop: 'STOP REPLICA',
  forget: 'RESET REPLICA ALL',
  onlyApply: ['STOP REPLICA IO_THREAD', 'START REPLICA SQL_THREAD'],
  received: sh`echo "SELECT REPLACE(RECEIVED_TRANSACTION_SET, CHAR(10), '')
  FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = '';" | hw_sql --skip-column-names`,
  beforeFollowing: [],
};

const mariadb: SwitchSql = {
  close: 'SET GLOBAL read_only = ON',
  open: ['SET GLOBAL read_only = OFF'],
  executed: '@@global.gtid_binlog_pos',
  closedState: `SELECT JSON_OBJECT('executed', @@global.gtid_binlog_pos, 'semiSync',
    IF(@@global.rpl_semi_sync_master_enabled, CAST(@@global.rpl_semi_sync_master_timeout AS CHAR), NULL))`,
  waitFor: (gtids, seconds) => `MASTER_GTID_WAIT('${gtids}', ${seconds})`,
  waitForReplica: (milliseconds) => [
    `SET GLOBAL rpl_semi_sync_master_timeout = ${milliseconds}`,
    'SET GLOBAL rpl_semi_sync_master_enabled = ON',
  ],
  waitForNobody: 'SET GLOBAL rpl_semi_sync_master_enabled = OFF',
  start: 'START SLAVE',
  stop: 'STOP SLAVE',
  forget: 'RESET SLAVE ALL',
  // With both threads stopped, a start throws away what was received.
  onlyApply: ['START SLAVE SQL_THREAD', 'STOP SLAVE IO_THREAD'],
  received: sh`echo 'SHOW SLAVE STATUS;' | hw_sql --vertical | sed -n 's/^ *Gtid_IO_Pos: //p'`,
  // Where it was when it was a replica itself, or nothing: it would ask for transactions that it has.
  beforeFollowing: ['STOP SLAVE', 'SET GLOBAL gtid_slave_pos = @@global.gtid_binlog_pos'],
};

export const switchSql: Readonly<Record<Flavor, SwitchSql>> = { mysql, mariadb };
