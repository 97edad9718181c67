import { lines, sh, type Script } from '../../transport/shell.ts';
import { sqlClient } from './sql.ts';

/** How many transactions a set of MySQL's GTIDs holds: `UUID:1-4:7, UUID:TAG:2`. */
export function transactionsIn(gtids: string): number {
  return gtids
    .split(/[,:]/)
    .map((part) => /^(\d+)(?:-(\d+))?$/.exec(part.trim()))
    .reduce(
      (sum, range) => (range === null ? sum : sum + Number(range[2] ?? range[1]) - Number(range[1]) + 1),
      0,
    );
}

/** Prints transactions of the binary logs of this host. */
export function printTransactions(gtids: string, ...options: readonly string[]): Script {
  return lines([
    sqlClient('mysql'),
    sh`base=$(printf 'SELECT @@global.log_bin_basename;\n' | hw_sql --skip-column-names)
mysqlbinlog --no-defaults ${options} --include-gtids=${gtids} "$base".[0-9]*`,
  ]);
}

/** Where transactions are kept that a copy of the primary's data replaces. */
export const keptIn = '/var/lib/hostwright/mysql-discarded';

/** Writes transactions to a file, as statements that `mysql` takes, before they are lost. */
export function keepTransactions(gtids: string): Script {
  return sh`umask 077
mkdir -p ${keptIn}
kept=${keptIn}/$(date -u +%Y%m%dT%H%M%SZ).sql
{
${printTransactions(gtids)}
} >"$kept.part"
sync "$kept.part"
mv "$kept.part" "$kept"`;
}
