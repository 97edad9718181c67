import { dirname } from 'node:path/posix';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { primaryOptions, seedingMark, type Replica } from './replication.ts';
import { sqlBytes, sqlClient, sqlText, systemDatabases } from './sql.ts';

/** A script and its standard input. */
export interface SeedStep {
  readonly script: Script;
  readonly stdin?: Uint8Array;
}

const begin = sh`mkdir -p ${dirname(seedingMark)}
: >${seedingMark}`;

export const endOfSeeding = sh`rm -f ${seedingMark}`;

/**
 * CLONE replaces all data by that of the primary, with its GTIDs, and ends with a restart of the server: then
 * the client loses its connection, which is no failure. What became of it stands in clone_status.
 */
function cloneStep(replica: Replica): SeedStep {
  const { address, port, seedUser, seedTimeout } = replica;
  const script = lines([
    begin,
    sqlClient('mysql'),
    sh`sql() { printf '%s;\n' "$1" | hw_sql --skip-column-names; }
cat >"$HW/clone.sql"
sql 'STOP REPLICA' 2>/dev/null
sql 'RESET REPLICA ALL' 2>/dev/null
if ! hw_sql --skip-column-names <"$HW/clone.sql" >&2 2>"$HW/errors"; then
  # 3707: mysqld cannot restart itself and leaves it to systemd; 2006, 2013: it has gone.
  grep -q 'ERROR 3707\|ERROR 2006\|ERROR 2013' "$HW/errors" || { cat "$HW/errors" >&2; exit 1; }
fi
n=0
while :; do
  found=$(sql "SELECT CONCAT(STATE, ' ', ERROR_NO, ' ', ERROR_MESSAGE) FROM performance_schema.clone_status" 2>"$HW/errors") || found=
  case $found in
    Completed*) break ;;
    Failed*) printf 'the copy failed: %s\n' "$found" >&2; exit 1 ;;
  esac
  n=$((n + 1))
  if [ "$n" -gt ${seedTimeout} ]; then
    printf 'the server does not come back with the copy: %s\n' "$found$(cat "$HW/errors")" >&2
    exit 1
  fi
  sleep 1
done`,
  ]);
  const statements = [
    // CLONE drops what is there, which this forbids; its restart brings it back, and read_only stays.
    'SET GLOBAL super_read_only = OFF',
    `SET GLOBAL clone_valid_donor_list = ${sqlText(`${address}:${port}`)}`,
    `CLONE INSTANCE FROM ${sqlText(seedUser)}@${sqlText(address)}:${port} IDENTIFIED BY ${sqlText(replica.seedPassword.reveal())} REQUIRE SSL`,
  ];
  return { script, stdin: sqlBytes(statements) };
}

const dropDatabases = `SELECT CONCAT('DROP DATABASE \`', REPLACE(SCHEMA_NAME, '\`', '\`\`'), '\`;')
FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ${systemDatabases}`;

/** Of those that Debian makes, root must stay: the copy would lose its own rights. */
const dropUsers = `SELECT CONCAT(IF(JSON_VALUE(Priv, '$.is_role') IS NULL,
  CONCAT('DROP USER ', QUOTE(User), '@', QUOTE(Host)), CONCAT('DROP ROLE ', QUOTE(User))), ';')
FROM mysql.global_priv WHERE User NOT IN ('root', 'mysql', 'mariadb.sys', 'PUBLIC')`;

/**
 * MariaDB has no CLONE: a dump of one moment (InnoDB) runs through TLS from the primary into the empty
 * replica, users first made sure to be only the primary's, and its end sets the position to go on from.
 * Nothing of it is written to the binary log: the replica would otherwise have transactions of its own.
 */
function dumpStep(replica: Replica): SeedStep {
  const script = lines([
    begin,
    sqlClient('mariadb'),
    sh`sql() { printf '%s;\n' "$1" | hw_sql --skip-column-names; }
cat >"$HW/primary.cnf"
sql 'STOP SLAVE' 2>/dev/null
sql 'RESET SLAVE ALL'
{
  echo 'SET sql_log_bin = 0;'
  sql ${dropDatabases}
  sql ${dropUsers}
} >"$HW/empty.sql"
hw_sql --skip-column-names <"$HW/empty.sql"
sql 'RESET MASTER'
sql "SET GLOBAL gtid_slave_pos = ''"
{
  HOME=/nonexistent mariadb-dump --defaults-file="$HW/primary.cnf" --protocol=tcp --default-character-set=utf8mb4 \
    --all-databases --ignore-database=mysql --ignore-database=sys --system=users --insert-ignore --single-transaction \
    --gtid --master-data=1 --routines --events --triggers --hex-blob 2>"$HW/errors" || : >"$HW/failed"
} | hw_sql --init-command='SET SESSION sql_log_bin = 0' >/dev/null
if [ -e "$HW/failed" ]; then cat "$HW/errors" >&2; exit 1; fi`,
  ]);
  return { script, stdin: primaryOptions(replica, replica.seedUser, replica.seedPassword.reveal()) };
}

/** Replaces all data of the replica by that of the primary; the mark is there until `endOfSeeding`. */
export function seedStep(replica: Replica): SeedStep {
  return replica.flavor === 'mysql' ? cloneStep(replica) : dumpStep(replica);
}
