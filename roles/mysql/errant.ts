import { binlogStateMinus, type ActionHost } from 'hostwright';
import { runStatements, statements } from './sql.ts';
import type { Variables } from './variables.ts';

const seen = {
  mysql: (executed: string) =>
    `SELECT REPLACE(GTID_SUBTRACT('${executed}', @@global.gtid_executed), CHAR(10), '')`,
  mariadb: () => "SELECT CONCAT(@@global.gtid_binlog_state, ',', @@global.gtid_slave_pos)",
} as const;

/**
 * The transactions of a set that a server lacks, as GTIDs; empty where it has all. The set must have been read
 * before: what the server lacks now, it lacks for good.
 */
export async function lackedBy(server: ActionHost<Variables>, executed: string): Promise<string> {
  const flavor = server.vars.mysql_flavor;
  const output = await server.run(runStatements(flavor), {
    stdin: statements(seen[flavor](executed)),
    timeout: 60,
  });
  const answer = output.trim();
  return flavor === 'mysql' ? answer : binlogStateMinus(executed, answer);
}
