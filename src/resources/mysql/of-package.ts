import { lines, sh, type Script } from '../../transport/shell.ts';
import { printTransactions } from './own-transactions.ts';
import { endSeeding, noteSeeding } from './seeding-mark.ts';
import { runSql, sqlText } from './sql.ts';

/**
 * Debian's package runs a statement of its own each time it is configured over data that are there: after an upgrade,
 * and after a first attempt that broke off. It runs before `super_read_only` holds, so a replica gets a transaction
 * that its primary lacks; the package of the primary runs the same one there.
 */
const statement = "ALTER USER 'debian-sys-maint'@'localhost' IDENTIFIED WITH 'auth_socket' AS 'root'";

/** What mysqlbinlog puts around each statement; row events have a BEGIN, which is none of it. */
const frame = [
  '^$',
  '^#',
  '^DELIMITER ',
  '^ROLLBACK/\\*!\\*/;$',
  '^SET (TIMESTAMP=[0-9.]+|@@(SESSION|session)\\.[^;]*)/\\*!\\*/;$',
  '^/\\*![0-9]* ?SET @[^;]*\\*/(/\\*!\\*/)?;$',
  '^/\\*!\\\\C utf8mb4 \\*//\\*!\\*/;$',
  '^/\\*!50003 SET COMPLETION_TYPE=@OLD_COMPLETION_TYPE\\*/;$',
  '^/\\*!\\*/;$',
  '^use `mysql`/\\*!\\*/;$',
].join('|');

/** Prints `yes` where each of `count` transactions is that of the package, and nothing else. */
export function isOfPackage(gtids: string, count: number): Script {
  return lines([
    sh`{
${printTransactions(gtids, '--base64-output=DECODE-ROWS')}
} >"$HW/own"
grep -vE ${frame} "$HW/own" >"$HW/statements" || :
if [ "$(grep -c ${"^SET @@SESSION.GTID_NEXT= '[0-9a-f]"} "$HW/own")" -eq ${count} ] &&
  [ "$(wc -l <"$HW/statements")" -eq ${count} ] &&
  [ "$(grep -cxF ${statement} "$HW/statements")" -eq ${count} ]; then echo yes; fi`,
  ]);
}

/**
 * Takes transactions out of the history of a replica, whose binary logs begin anew: with `forgetStatements` as standard
 * input. Of a server that ends in between no history is left; the note says that a copy then loses nothing.
 */
export const forgetTransactions = lines([noteSeeding('emptied'), runSql('mysql'), endSeeding]);

export function forgetStatements(gtids: string): readonly string[] {
  return [
    'STOP REPLICA',
    `SET @kept = GTID_SUBTRACT(@@GLOBAL.gtid_executed, ${sqlText(gtids)})`,
    'RESET BINARY LOGS AND GTIDS',
    'SET GLOBAL gtid_purged = @kept',
  ];
}
