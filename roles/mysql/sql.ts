import { lines, sh, type Script } from 'hostwright';
import type { Variables } from './variables.ts';

type Flavor = Variables['mysql_flavor'];

/** Seconds until a server is given up that takes connections and does not answer. */
const patience = 20;

/**
 * `hw_sql OPTIONS` reads statements from standard input, as root by the socket, and stops at the first that fails. No
 * option file is read, so that none of the host's can change what it prints.
 */
export function sqlFunction(flavor: Flavor, seconds = patience): Script {
  const client = flavor === 'mysql' ? 'mysql' : 'mariadb';
  return sh`hw_sql() {
  HOME=/nonexistent timeout -k 2 ${seconds} ${client} --no-defaults --protocol=socket --user=root --connect-timeout=10 \
    --default-character-set=utf8mb4 --batch --raw "$@"
}`;
}

/** Runs the statements of standard input; prints their rows. */
export function runStatements(flavor: Flavor, seconds?: number): Script {
  return lines([sqlFunction(flavor, seconds), sh`hw_sql --skip-column-names`]);
}

export function statements(...texts: readonly string[]): string {
  return texts.map((text) => `${text};\n`).join('');
}
