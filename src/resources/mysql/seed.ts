import { isIP } from 'node:net';
import { dirname } from 'node:path/posix';
import { restrictedTo } from '../../pki/restrict.ts';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { primaryOptions, type Replica } from './replication.ts';
import { noteSeeding } from './seeding-mark.ts';
import { sqlBytes, sqlClient, sqlText, systemDatabases } from './sql.ts';

/** A script and its standard input. */
export interface SeedStep {
  readonly script: Script;
  readonly stdin?: Uint8Array;
}

/** Prints the certificate that the primary shows, once its name is verified, and then the CA's. */
export function readDonor({ address, port, ca }: Replica): Script {
  const [connect, verify] =
    isIP(address) === 0
      ? [address, '-verify_hostname']
      : [isIP(address) === 6 ? `[${address}]` : address, '-verify_ip'];
  return sh`openssl s_client -connect ${`${connect}:${port}`} -starttls mysql -CAfile ${ca} -no-CApath -no-CAstore \
  -verify_return_error ${verify} ${address} </dev/null >"$HW/donor" 2>"$HW/errors" || { cat "$HW/errors" >&2; exit 1; }
sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' "$HW/donor"
cat ${ca}`;
}

/** The CA for this donor alone, PEM, from the answer to `readDonor`. */
export function donorAuthority(answer: Buffer): string {
  const text = answer.toString('utf8');
  const end = '-----END CERTIFICATE-----\n';
  const at = text.indexOf(end) + end.length;
  return restrictedTo(text.slice(0, at), text.slice(at));
}

/** Where nothing was copied the server has not restarted. */
function afterFailure(ca: string): string {
  return `SET GLOBAL super_read_only = ON; SET GLOBAL clone_ssl_ca = ${sqlText(ca)}`;
}

/**
 * CLONE replaces all data by that of the primary, with its GTIDs, and ends with a restart of the server: then
 * the client loses its connection, which is no failure. What became of it stands in clone_status.
 *
 * CLONE verifies that a CA has signed the certificate of the donor, and not whom it names: any host with an
 * internal certificate could pose as the primary. So for this one time it gets a CA that is good for the
 * primary alone. After the restart the settings of the file hold again.
 */
function cloneStep(replica: Replica, authority: string): SeedStep {
  const { address, port, seedUser, seedTimeout, ca } = replica;
  const donor = `${dirname(ca)}/mysql-donor.crt`;
  const script = lines([
    noteSeeding('begun'),
    sqlClient('mysql'),
    sh`sql() { printf '%s;\n' "$1" | hw_sql --skip-column-names; }
cat >"$HW/clone.sql"
trap 'rm -f ${donor}' EXIT
printf '%s' ${authority} >${donor}
sql 'STOP REPLICA' 2>/dev/null
sql 'RESET REPLICA ALL' 2>/dev/null
if ! hw_sql --skip-column-names <"$HW/clone.sql" >&2 2>"$HW/errors"; then
  # 3707: mysqld cannot restart itself and leaves it to systemd; 2006, 2013: it has gone.
  if ! grep -q 'ERROR 3707\|ERROR 2006\|ERROR 2013' "$HW/errors"; then
    cat "$HW/errors" >&2
    sql ${afterFailure(ca)} || :
    exit 1
  fi
fi
n=0
while :; do
  found=$(sql "SELECT CONCAT(STATE, ' ', ERROR_NO, ' ', ERROR_MESSAGE) FROM performance_schema.clone_status" 2>"$HW/errors") || found=
  case $found in
    Completed*) break ;;
    # In progress with an error: the server was killed meanwhile, and nobody goes on.
    Failed* | 'In Progress '[1-9]*) printf 'the copy failed: %s\n' "$found" >&2; exit 1 ;;
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
    // CLONE drops what is there, which this forbids; its restart ends that, and read_only stays.
    'SET GLOBAL super_read_only = OFF',
    `SET GLOBAL clone_ssl_ca = ${sqlText(donor)}`,
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

const historyOfPrimary = `SELECT CONCAT_WS(',', NULLIF(@@global.gtid_binlog_state, ''), NULLIF(@@global.gtid_slave_pos, ''));`;

/**
 * MariaDB has no CLONE: a dump of one moment (InnoDB) runs through TLS from the primary into the empty
 * replica, users first made sure to be only the primary's, and its end sets the position to go on from.
 * Nothing of it is written to the binary log: the replica would otherwise have transactions of its own.
 */
function dumpStep(replica: Replica): SeedStep {
  const script = lines([
    noteSeeding('begun'),
    sqlClient('mariadb'),
    sh`sql() { printf '%s;\n' "$1" | hw_sql --skip-column-names; }
cat >"$HW/primary.cnf"
# The dump has the last transaction alone, and not who wrote what before it: without that this server, once others
# follow it, lacks what they have.
echo ${historyOfPrimary} | HOME=/nonexistent mariadb --defaults-file="$HW/primary.cnf" --protocol=tcp --batch --skip-column-names >"$HW/history"
history=$(tr , '\n' <"$HW/history" | sort -t - -k 1,1n -k 2,2n -k 3,3nr | sort -t - -k 1,1n -k 2,2n -u -s | sort -t - -k 1,1n -k 3,3n | paste -s -d ,)
sql 'STOP SLAVE' 2>/dev/null
sql 'RESET SLAVE ALL'
{
  echo 'SET sql_log_bin = 0;'
  sql ${dropDatabases}
  sql ${dropUsers}
} >"$HW/empty.sql"
hw_sql --skip-column-names <"$HW/empty.sql"
sql 'RESET MASTER'
sql "SET GLOBAL gtid_slave_pos = ''"`,
    noteSeeding('emptied'),
    sh`{
  HOME=/nonexistent mariadb-dump --defaults-file="$HW/primary.cnf" --protocol=tcp --default-character-set=utf8mb4 \
    --all-databases --ignore-database=mysql --ignore-database=sys --system=users --insert-ignore --single-transaction \
    --gtid --master-data=1 --routines --events --triggers --hex-blob 2>"$HW/errors" || : >"$HW/failed"
} | hw_sql --init-command='SET SESSION sql_log_bin = 0' >/dev/null
if [ -e "$HW/failed" ]; then cat "$HW/errors" >&2; exit 1; fi
sql "SET GLOBAL gtid_binlog_state = '$history'"`,
  ]);
  return { script, stdin: primaryOptions(replica, replica.seedUser, replica.seedPassword.reveal()) };
}

/**
 * Replaces all data of the replica by that of the primary; the note of it stays until `endSeeding`. `authority`:
 * the CA for the primary alone, PEM.
 */
export function seedStep(replica: Replica, authority: string): SeedStep {
  return replica.flavor === 'mysql' ? cloneStep(replica, authority) : dumpStep(replica);
}
