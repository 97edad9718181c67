import { randomBytes } from 'node:crypto';
import type { Flavor } from './sql.ts';

/**
 * A mark is an empty transaction under a random number that no server ever gives out: a UUID that begins with
 * "hostwright" in hexadecimal, or a domain of MariaDB above `firstDomain`. The primary has one, and so have all
 * that follow it. When the numbers of transactions begin anew (RESET BINARY LOGS AND GTIDS, older data restored)
 * they soon look the same as before on both sides; the mark does not come back.
 */
const uuid = '686f7374-7772-6967-6874';
const firstDomain = 0x68_00_00_00;
const domains = 2 ** 24;

function isMark(flavor: Flavor, entry: string): boolean {
  if (flavor === 'mysql') return entry.toLowerCase().startsWith(`${uuid}-`);
  const domain = Number(entry.split('-')[0]);
  return domain >= firstDomain && domain < firstDomain + domains;
}

/** The marks in a set of GTIDs, in the form of such a set; empty where there is none. */
export function marksIn(flavor: Flavor, gtids: string): string {
  return gtids
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '' && isMark(flavor, entry))
    .join(',');
}

/** SQL for the set of all that a server has executed. */
export const executedBy: Readonly<Record<Flavor, string>> = {
  mysql: "REPLACE(@@global.gtid_executed, CHAR(10), '')",
  mariadb: "CONCAT(@@global.gtid_binlog_state, ',', @@global.gtid_slave_pos)",
};

/** Whether two sets are of servers with one history, which has a mark. */
export function shareHistory(flavor: Flavor, one: string, other: string): boolean {
  const marks = marksIn(flavor, other.toLowerCase()).split(',');
  return marksIn(flavor, one.toLowerCase())
    .split(',')
    .some((mark) => mark !== '' && marks.includes(mark));
}

/** Statements of one session that write a new mark, on a read-only server too. */
export function markStatements(flavor: Flavor): readonly string[] {
  if (flavor === 'mysql') {
    const gtid = `${uuid}-${randomBytes(6).toString('hex')}:1`;
    return [`SET gtid_next = '${gtid}'`, 'BEGIN', 'COMMIT', "SET gtid_next = 'AUTOMATIC'"];
  }
  // An empty transaction gets no number in MariaDB; this statement changes nothing either, and gets one.
  return [
    `SET SESSION gtid_domain_id = ${firstDomain + randomBytes(3).readUIntBE(0, 3)}`,
    'FLUSH PRIVILEGES',
  ];
}
