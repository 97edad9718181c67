import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';

export const flavor = z.enum(['mysql', 'mariadb']).describe('The server and client on the host');
export type Flavor = z.output<typeof flavor>;

/** Text that needs no escape in SQL beside a doubled quote, whatever sql_mode says. */
export const plainText = z
  .string()
  .regex(/^[^\\\p{Cc}]*$/u, 'expected text without a backslash and control characters');

/** The name of a database or table. */
export const objectName = z
  .string()
  .regex(/^[^\\`/.\p{Cc}]{1,64}$/u, 'expected a name of 1 to 64 characters without "`", "/", "." and "\\"');

/** A literal of SQL. RangeError for what `plainText` refuses. */
export function sqlText(value: string): string {
  if (!plainText.safeParse(value).success) throw new RangeError('a text for SQL holds a backslash or worse');
  return `'${value.replaceAll("'", "''")}'`;
}

/** An identifier of SQL. */
export function sqlName(value: string): string {
  return `\`${value.replaceAll('`', '``')}\``;
}

/** Databases that the server keeps for itself, as a list for IN. */
export const systemDatabases = "('mysql', 'information_schema', 'performance_schema', 'sys')";

export function clientOf(server: Flavor): string {
  return server === 'mysql' ? 'mysql' : 'mariadb';
}

/**
 * `hw_sql OPTIONS` reads statements from standard input; it is root by the socket. No option file is read, so
 * that none of the host's can change what it prints.
 */
export function sqlClient(server: Flavor): Script {
  return sh`hw_sql() {
  HOME=/nonexistent ${clientOf(server)} --no-defaults --protocol=socket --user=root --connect-timeout=10 \
    --default-character-set=utf8mb4 --batch --raw "$@"
}`;
}

/** A script that runs statements from its standard input and stops at the first that fails. */
export function runSql(server: Flavor): Script {
  return lines([sqlClient(server), sh`hw_sql --skip-column-names >/dev/null`]);
}

export function sqlBytes(statements: readonly string[]): Buffer {
  return Buffer.from(statements.map((statement) => `${statement};\n`).join(''));
}
