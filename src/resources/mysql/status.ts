import { z } from 'zod';
import { sh, type Script } from '../../transport/shell.ts';
import { binlogStateMinus, isBehindState, positionIn } from './binlog-state.ts';
import { marksIn } from './history.ts';
import {
  connectRetry,
  heartbeat,
  primaryOptions,
  retryCount,
  type Failure,
  type Replica,
  type ReplicaStatus,
} from './replication.ts';
import { parseSeeding, readSeeding } from './seeding-mark.ts';
import { askAgain, type Question } from './question.ts';
import { systemDatabases } from './sql.ts';

const common = `'databases', (SELECT JSON_ARRAYAGG(SCHEMA_NAME) FROM information_schema.SCHEMATA
    WHERE SCHEMA_NAME NOT IN ${systemDatabases})`;

const mysqlQuery = `SELECT REPLACE(@@global.gtid_executed, CHAR(10), '');
SELECT JSON_OBJECT('readOnly', @@global.super_read_only, ${common},
  'waits', (SELECT VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME = 'rpl_semi_sync_source_enabled'),
  'acknowledges', (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_replica_status'),
  'source', (SELECT JSON_OBJECT('host', HOST, 'port', PORT, 'user', USER, 'tls', SSL_ALLOWED, 'ca', SSL_CA_FILE,
      'cert', SSL_CERTIFICATE, 'key', SSL_KEY, 'verify', SSL_VERIFY_SERVER_CERTIFICATE, 'gtid', AUTO_POSITION, 'heartbeat', HEARTBEAT_INTERVAL,
      'retryInterval', CONNECTION_RETRY_INTERVAL, 'retryCount', CONNECTION_RETRY_COUNT,
      'others', CONCAT_WS(', ', NULLIF(CONCAT('interface ', NETWORK_INTERFACE), 'interface '), NULLIF(TLS_VERSION, ''),
        NULLIF(SSL_CIPHER, ''), NULLIF(TLS_CIPHERSUITES, ''), NULLIF(SSL_CRL_FILE, ''), NULLIF(COMPRESSION_ALGORITHM, 'uncompressed'),
        IF(SOURCE_CONNECTION_AUTO_FAILOVER = '1', 'automatic failover', NULL)))
    FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = ''),
  'password', (SELECT SHA2(User_password, 256) FROM mysql.slave_master_info WHERE Channel_name = ''),
  'receiver', (SELECT JSON_OBJECT('state', LOWER(SERVICE_STATE), 'number', LAST_ERROR_NUMBER, 'message', LAST_ERROR_MESSAGE)
    FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = ''),
  'channels', (SELECT JSON_ARRAYAGG(CHANNEL_NAME) FROM performance_schema.replication_connection_configuration
    WHERE CHANNEL_NAME <> ''),
  'filters', (SELECT JSON_ARRAYAGG(CONCAT(LOWER(FILTER_NAME), ' ', FILTER_RULE))
    FROM performance_schema.replication_applier_filters WHERE CHANNEL_NAME = '' AND FILTER_RULE <> ''),
  'applying', (SELECT JSON_OBJECT('delay', DESIRED_DELAY, 'others', CONCAT_WS(', ',
      CONCAT('privileges of ', PRIVILEGE_CHECKS_USER), IF(REQUIRE_ROW_FORMAT = 'YES', 'rows only', NULL),
      IF(REQUIRE_TABLE_PRIMARY_KEY_CHECK = 'STREAM', NULL, CONCAT('primary keys ', REQUIRE_TABLE_PRIMARY_KEY_CHECK)),
      IF(ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS_TYPE = 'OFF', NULL, 'GTIDs made up')))
    FROM performance_schema.replication_applier_configuration WHERE CHANNEL_NAME = ''),
  'applier', (SELECT LOWER(SERVICE_STATE) FROM performance_schema.replication_applier_status WHERE CHANNEL_NAME = ''),
  'failures', (SELECT JSON_ARRAYAGG(JSON_OBJECT('number', LAST_ERROR_NUMBER, 'message', LAST_ERROR_MESSAGE)) FROM (
      SELECT CHANNEL_NAME, LAST_ERROR_NUMBER, LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_worker
      UNION ALL
      SELECT CHANNEL_NAME, LAST_ERROR_NUMBER, LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_coordinator
    ) parts WHERE CHANNEL_NAME = '' AND LAST_ERROR_NUMBER <> 0));`;

const mariadbQuery = `SELECT @@global.gtid_binlog_state;
SELECT JSON_OBJECT('readOnly', IF(@@global.read_only, 1, 0), 'applied', @@global.gtid_slave_pos,
  'member', IF(@@global.wsrep_on, 1, 0), ${common},
  'waits', IF(@@global.rpl_semi_sync_master_enabled, 'ON', 'OFF'),
  'acknowledges', (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'RPL_SEMI_SYNC_SLAVE_STATUS'),
  'heartbeat', (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVE_HEARTBEAT_PERIOD'));
SELECT @@datadir;`;

/** The own state was read before: what the primary lacks now, it lacks for good. */
const askPrimary = (
  client: string,
): Script => sh`if HOME=/nonexistent timeout -k 2 20 ${client} --defaults-file="$HW/primary.cnf" --protocol=tcp \
    --connect-timeout=5 --default-character-set=utf8mb4 --batch --raw --skip-column-names <"$HW/question" >"$HW/primary" 2>"$HW/errors"; then
  printf 'primary '; cat "$HW/primary"
else
  printf 'silent %s\n' "$(grep -m 1 ERROR "$HW/errors" || head -n 1 "$HW/errors")"
fi`;

const mysqlScript = sh`executed=$(head -n 1 "$HW/part")
printf "SELECT JSON_OBJECT('server', @@global.server_uuid, 'own', GTID_SUBTRACT('%s', @@global.gtid_executed),
  'behind', GTID_SUBTRACT(@@global.gtid_executed, '%s') <> '',
  'asks', EXISTS (SELECT 1 FROM performance_schema.global_variables WHERE VARIABLE_NAME = 'rpl_semi_sync_source_enabled'),
  'purged', GTID_SUBTRACT(@@global.gtid_purged, '%s') <> '');\n" "$executed" "$executed" "$executed" >"$HW/question"
${askPrimary('mysql')}`;

const mariadbScript = sh`sed -n 6p "$(sed -n 3p "$HW/part")/master.info" 2>/dev/null | tr -d '\n' | sha256sum | sed 's/^/password /'
echo 'SHOW SLAVE STATUS;' | hw_sql --vertical | sed 's/^ */status /'
echo "SELECT @@global.server_id, CONCAT(@@global.gtid_binlog_state, ',', @@global.gtid_slave_pos);" >"$HW/question"
${askPrimary('mariadb')}`;

/** A replica connects again within seconds after its primary was restarted: that is no difference yet. */
function whileConnecting(isConnecting: Script, again: Script): Script {
  return sh`n=0
while ${isConnecting} && [ "$n" -lt 10 ]; do
  sleep 0.5
  ${again}
  cat "$HW/part"
  sed -i 1d "$HW/part"
  n=$((n + 1))
done`;
}

const waiting = {
  mysql: whileConnecting(sh`grep -q '"state": "connecting"' "$HW/part"`, askAgain(mysqlQuery)),
  mariadb: whileConnecting(
    sh`echo 'SHOW SLAVE STATUS;' | hw_sql --vertical | grep -q 'Slave_IO_Running: Connecting'`,
    askAgain(mariadbQuery),
  ),
};

/** Asks the replica, and through it the primary, as the user of the replication. Changes nothing. */
export function askReplica(replica: Replica): Question {
  const isMysql = replica.flavor === 'mysql';
  return {
    rows: isMysql ? mysqlQuery : mariadbQuery,
    more: sh`cat >"$HW/primary.cnf"
hw_part
${waiting[replica.flavor]}
${readSeeding}
${isMysql ? mysqlScript : mariadbScript}`,
    stdin: primaryOptions(replica, replica.user, replica.password.reveal()),
  };
}

const failure = z.object({ number: z.number(), message: z.string() });

/** Of semi-synchronous replication; null where the server has no such plugin. */
const semiSync = { waits: z.string().nullable(), acknowledges: z.string().nullable() };

const mysqlRow = z.object({
  ...semiSync,
  readOnly: z.number(),
  databases: z.array(z.string()).nullable(),
  source: z
    .object({
      host: z.string().nullable(),
      port: z.number(),
      user: z.string().nullable(),
      tls: z.string(),
      ca: z.string(),
      cert: z.string(),
      key: z.string(),
      verify: z.string(),
      gtid: z.coerce.number(),
      heartbeat: z.coerce.number(),
      retryInterval: z.number(),
      retryCount: z.number(),
      others: z.string(),
    })
    .nullable(),
  channels: z.array(z.string()).nullable(),
  filters: z.array(z.string()).nullable(),
  applying: z.object({ delay: z.number(), others: z.string() }).nullable(),
  password: z.string().nullable(),
  receiver: failure.extend({ state: z.string() }).nullable(),
  applier: z.string().nullable(),
  failures: z.array(failure).nullable(),
});

const truth = z.number().or(z.boolean());
const mysqlAnswer = z.object({
  server: z.string(),
  own: z.string(),
  behind: truth,
  purged: truth,
  /** Its commits can wait for replicas; those of a member of a group cannot. */
  asks: truth,
});

const mariadbRow = z.object({
  ...semiSync,
  readOnly: z.number(),
  applied: z.string(),
  heartbeat: z.coerce.number(),
  member: z.number(),
  databases: z.array(z.string()).nullable(),
});

/**
 * What a primary says to a replica that has more than itself, of MySQL and of MariaDB. Such a failure stays until
 * the replica is started again, and by then the primary may have used the same numbers again.
 */
const aheadWords = /more GTIDs than|has (probably )?diverged|not in the master's binlog|missing the GTID/i;

function isFailure(found: Failure | null | undefined): found is Failure {
  return found !== null && found !== undefined && found.number !== 0;
}

/** A replica that receives nothing acknowledges nothing, nor does one whose primary does not ask for it. */
function semiSyncState(
  { waits, acknowledges }: { readonly waits: string | null; readonly acknowledges: string | null },
  receiving: string,
  isAsked = true,
): string {
  if (waits === 'ON') return 'waits for replicas itself';
  return acknowledges === 'ON' || receiving !== 'on' || !isAsked ? 'on' : 'off';
}

interface Tls {
  readonly allowed: boolean;
  readonly verified: boolean;
  readonly files: readonly (string | undefined)[];
}

function tlsState(tls: Tls, replica: Replica): string {
  if (!tls.allowed) return 'off';
  if (!tls.verified) return 'not verified';
  const expected = [replica.ca, replica.certificate, replica.key];
  return expected.every((file, index) => file === tls.files[index])
    ? 'verified'
    : 'verified with other files';
}

/** The lines behind a word: `primary`, `silent`, `status`. */
function after(rows: readonly string[], word: string): readonly string[] {
  return rows.filter((row) => row.startsWith(`${word} `)).map((row) => row.slice(word.length + 1));
}

function beat(seconds: number): readonly string[] {
  if (seconds === heartbeat) return [];
  return [seconds === 0 ? 'no heartbeat' : `a heartbeat of ${seconds} s`];
}

/** How the connection is kept, where it is not as declared. */
function rhythm(beats: number, retryInterval: number, count: number): readonly string[] {
  return [
    ...beat(beats),
    ...(retryInterval === connectRetry ? [] : [`tries again after ${retryInterval} s`]),
    ...(count === retryCount ? [] : [`gives up after ${count} times`]),
  ];
}

function parseMysql(rows: readonly string[], replica: Replica) {
  const [executed = '', text = ''] = rows;
  const row = mysqlRow.parse(JSON.parse(text));
  const [answer] = after(rows, 'primary').map((line) => mysqlAnswer.parse(JSON.parse(line)));
  const { source } = row;
  const own = answer?.own.replaceAll('\n', '') ?? null;
  const receiving = row.receiver?.state ?? 'off';
  return {
    readOnly: row.readOnly === 1,
    semiSync: semiSyncState(row, receiving, Boolean(answer?.asks ?? true)),
    source: source === null || source.host === null ? null : `${source.host}:${source.port}`,
    user: source?.user ?? '',
    passwordHash: row.password ?? '',
    tls: tlsState(
      {
        allowed: source?.tls === 'YES',
        verified: source?.verify === 'YES',
        files: [source?.ca, source?.cert, source?.key],
      },
      replica,
    ),
    position: source?.gtid === 1 ? ('gtid' as const) : ('file' as const),
    delay: row.applying?.delay ?? 0,
    filters: (row.filters ?? []).toSorted(),
    channels: row.channels ?? [],
    options: [
      ...(source === null ? [] : rhythm(source.heartbeat, source.retryInterval, source.retryCount)),
      ...[source?.others ?? '', row.applying?.others ?? ''].filter((text) => text !== ''),
    ],
    receiving,
    applying: row.applier ?? 'off',
    receiveFailure: isFailure(row.receiver) ? row.receiver : null,
    applyFailure: row.failures?.find(isFailure) ?? null,
    isMember: false,
    startPosition: undefined,
    isEmpty: executed === '',
    databases: row.databases ?? [],
    ownTransactions: own,
    isNumberedByPrimary: (gtid: string) => gtid.startsWith(`${answer?.server}:`),
    isBehind: Boolean(answer?.behind),
    isPurged: Boolean(answer?.purged),
  };
}

function state(word: string | undefined): string {
  if (word === 'Yes') return 'on';
  return word === undefined || word === 'No' ? 'off' : word.toLowerCase();
}

const mariadbFilters = [
  ...['Do_DB', 'Ignore_DB', 'Do_Table', 'Ignore_Table', 'Wild_Do_Table', 'Wild_Ignore_Table', 'Rewrite_DB'],
].map((name) => `Replicate_${name}`);

function ignoredServers(ids = ''): readonly string[] {
  return ids === '' ? [] : [`ignores servers ${ids}`];
}

function parseMariadb(rows: readonly string[], replica: Replica) {
  const [executed = '', text = ''] = rows;
  const row = mariadbRow.parse(JSON.parse(text));
  const status = new Map(
    after(rows, 'status').map((line): [string, string] => [
      line.slice(0, Math.max(line.indexOf(':'), 0)),
      line.slice(line.indexOf(':') + 2),
    ]),
  );
  const failureOf = (part: 'IO' | 'SQL'): Failure | null => {
    const number = Number(status.get(`Last_${part}_Errno`) ?? 0);
    return number === 0 ? null : { number, message: status.get(`Last_${part}_Error`) ?? '' };
  };
  // A server that was seeded has its history in the position, not in its own binary log.
  const history = `${executed},${row.applied}`;
  const [server, primary] = after(rows, 'primary')[0]?.split('\t') ?? [];
  const host = status.get('Master_Host') ?? '';
  const receiving = state(status.get('Slave_IO_Running'));
  return {
    readOnly: row.readOnly === 1,
    semiSync: semiSyncState(row, receiving),
    source: host === '' ? null : `${host}:${status.get('Master_Port')}`,
    user: status.get('Master_User') ?? '',
    passwordHash: after(rows, 'password')[0]?.split(' ')[0] ?? '',
    tls: tlsState(
      {
        allowed: status.get('Master_SSL_Allowed') === 'Yes',
        verified: status.get('Master_SSL_Verify_Server_Cert') === 'Yes',
        files: ['CA_File', 'Cert', 'Key'].map((part) => status.get(`Master_SSL_${part}`)),
      },
      replica,
    ),
    position: status.get('Using_Gtid') === 'Slave_Pos' ? ('gtid' as const) : ('file' as const),
    delay: Number(status.get('SQL_Delay') ?? 0),
    filters: mariadbFilters.flatMap((name) => {
      const rule = status.get(name) ?? '';
      return rule === '' ? [] : [`${name.toLowerCase()} ${rule}`];
    }),
    channels: [],
    options: [
      ...(host === '' ? [] : beat(row.heartbeat)),
      ...ignoredServers(status.get('Replicate_Ignore_Server_Ids')),
    ],
    receiving,
    applying: state(status.get('Slave_SQL_Running')),
    receiveFailure: failureOf('IO'),
    applyFailure: failureOf('SQL'),
    isMember: row.member === 1,
    startPosition: positionIn(history),
    isEmpty: executed === '' && row.applied === '',
    databases: row.databases ?? [],
    // What one member of a cluster has, all have, a moment earlier or later.
    ownTransactions:
      primary === undefined ? null : row.member === 1 ? '' : binlogStateMinus(history, primary),
    isNumberedByPrimary: (gtid: string) => gtid.split('-')[1] === server,
    // MariaDB does not say; the replica finds out when it asks for them.
    isPurged: false,
    // A copy of the data has the last position, and not who wrote what before it.
    isBehind: primary !== undefined && isBehindState(history, primary),
  };
}

/** From the rows of `askReplica`. RangeError, or an error of zod, for an answer of another form. */
export function parseStatus(rows: readonly string[], replica: Replica): ReplicaStatus {
  const { isNumberedByPrimary, ...parsed } =
    replica.flavor === 'mysql' ? parseMysql(rows, replica) : parseMariadb(rows, replica);
  const own = parsed.ownTransactions ?? '';
  return {
    ...parsed,
    lostMarks: marksIn(replica.flavor, own),
    isAhead:
      own.split(',').some((gtid) => isNumberedByPrimary(gtid.trim())) ||
      aheadWords.test(parsed.receiveFailure?.message ?? ''),
    seeding: parseSeeding(rows),
    primaryError: after(rows, 'silent')[0] ?? null,
  };
}
