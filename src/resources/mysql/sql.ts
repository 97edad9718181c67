import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import type { Section } from '../../transport/sections.ts';
import { Unreadable } from '../state.ts';

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

/** What a probe of the server is made of. */
export interface Question {
  /** Statements whose rows come first. */
  readonly rows: string;
  /** Runs before the rows in "$HW/rows" are printed, and may ask for them again: `askRows`. */
  readonly waiting?: Script;
  /** Prints what comes behind the rows. */
  readonly more?: Script;
  readonly stdin?: Uint8Array;
}

/** Reads the rows of a question into "$HW/rows". */
export function askRows(rows: string): Script {
  return sh`printf '%s\n' ${rows} | hw_sql --skip-column-names >"$HW/rows"`;
}

/**
 * Prints `ready`, rows and more, or `away` and why the server cannot be asked. Errors of the server itself
 * fail the script.
 */
export function askServer(server: Flavor, { rows, waiting, more, stdin }: Question): Section {
  const script = lines([
    sqlClient(server),
    sh`if ! command -v ${clientOf(server)} >/dev/null 2>&1; then echo 'away its client is not installed'; exit 0; fi
if ! ${askRows(rows)} 2>"$HW/errors"; then
  grep -q '^ERROR 20[0-9][0-9]' "$HW/errors" || { cat "$HW/errors" >&2; exit 1; }
  printf 'away %s\n' "$(head -n 1 "$HW/errors")"
  exit 0
fi`,
    ...(waiting === undefined ? [] : [waiting]),
    sh`echo ready
cat "$HW/rows"`,
    ...(more === undefined ? [] : [more]),
  ]);
  return stdin === undefined ? { script } : { script, stdin };
}

/** The lines behind `ready`, or why there are none. RangeError for any other answer. */
export function parseAnswer(output: Buffer): readonly string[] | Unreadable {
  const [first = '', ...rows] = output.toString('utf8').replace(/\n$/, '').split('\n');
  if (first.startsWith('away ')) return new Unreadable(first.slice('away '.length));
  if (first !== 'ready') throw new RangeError(`unexpected answer "${first.slice(0, 80)}" of the server`);
  return rows;
}

/** A script that runs statements from its standard input and stops at the first that fails. */
export function runSql(server: Flavor): Script {
  return lines([sqlClient(server), sh`hw_sql --skip-column-names >/dev/null`]);
}

export function sqlBytes(statements: readonly string[]): Buffer {
  return Buffer.from(statements.map((statement) => `${statement};\n`).join(''));
}
