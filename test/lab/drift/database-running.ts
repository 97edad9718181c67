import { subnet, type Damage } from './damage.ts';

/** As root through the socket, each statement by standard input: no quoting but that of the statement. */
const mysql = (statements: string): string => `mysql -N <<'SQL'\n${statements};\nSQL\n`;

type Slot = Omit<Damage, 'role' | 'breaks' | 'sound'> & {
  readonly sql: string;
  /** Shell behind the statements. */
  readonly behind?: string;
  /** A query, and what it answers while all is well. */
  readonly asks: readonly [query: string, answer: string];
};

const running = ({ sql, behind = '', asks: [query, answer], ...damage }: Slot): Damage => ({
  ...damage,
  role: 'mysql',
  breaks: mysql(sql) + behind,
  sound: `[ "$(${mysql(query)})" = '${answer}' ]`,
});

/** A variable that a statement has set, and what it is to be; without `seen` the values are too long for a table. */
type Variable = readonly [what: string, name: string, value: string, declared: string, seen?: string];

const primary: readonly Variable[] = [
  ['fewer connections allowed', 'max_connections', '77', '200', '77 → 200'],
  ['files of clients let in', 'local_infile', 'ON', '1 → 0', 'ON → OFF'],
  ['connections without TLS allowed', 'require_secure_transport', 'OFF', '1 → 0', 'OFF → ON'],
  ['a log of every statement, passwords among them', 'general_log', 'ON', '1 → 0', 'ON → OFF'],
  ['events no longer run', 'event_scheduler', 'OFF', 'ON', 'OFF → ON'],
  ['binary logs not on disk when a commit returns', 'sync_binlog', '0', '1', '0 → 1'],
  ['commits not on disk when they return', 'innodb_flush_log_at_trx_commit', '2', '1', '2 → 1'],
  ['a statement that runs at every login', 'init_connect', "'SELECT 1'", '', 'SELECT 1 → '],
  [
    'values that do not fit cut off in silence',
    'sql_mode',
    "''",
    'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  ],
  ['binary logs kept for a minute', 'binlog_expire_logs_seconds', '60', '604800', '60 → 604800'],
  ['only parts of rows in the binary log', 'binlog_row_image', 'MINIMAL', 'FULL', 'MINIMAL → FULL'],
  ['functions of anybody in the binary log', 'log_bin_trust_function_creators', 'ON', '1 → 0', 'ON → OFF'],
  ['passwords that run out', 'default_password_lifetime', '1', '0', '1 → 0'],
  [
    'an isolation that reads what was never committed',
    'transaction_isolation',
    "'READ-UNCOMMITTED'",
    'REPEATABLE-READ',
    'READ-UNCOMMITTED → REPEATABLE-READ',
  ],
  ['idle connections ended after seconds', 'wait_timeout', '600', '28800', '600 → 28800'],
  ['deadlocks that nobody ends', 'innodb_deadlock_detect', 'OFF', '1 → 0', 'OFF → ON'],
  ['another buffer pool', 'innodb_buffer_pool_size', '402653184', '134217728'],
];

const replica: readonly Variable[] = [
  [
    'a replica that skips what does not fit',
    'replica_exec_mode',
    "'IDEMPOTENT'",
    'STRICT',
    'IDEMPOTENT → STRICT',
  ],
  ['a database closed to all but administrators', 'offline_mode', 'ON', '1 → 0', 'ON → OFF'],
  ['pages written without their copy', 'innodb_doublewrite', "'DETECT_ONLY'", 'ON', 'DETECT_ONLY → ON'],
  ['errors kept out of the log', 'log_error_verbosity', '1', '2', '1 → 2'],
  ['relay logs that pile up', 'relay_log_purge', 'OFF', '1 → 0', 'OFF → ON'],
  ['checksums of the stream not verified', 'replica_sql_verify_checksum', 'OFF', '1 → 0', 'OFF → ON'],
];

/** A switch reads as 0 or 1. */
function answerOf(value: string, declared: string): string {
  return declared === '1 → 0' ? (value === 'ON' ? '0' : '1') : declared;
}

const variables = (
  round: number,
  host: Damage['host'],
  action: Damage['action'],
  all: readonly Variable[],
): Slot[] =>
  all.map(([what, name, value, declared, seen = '']) => ({
    what,
    round,
    host,
    resource: 'mysql_settings:mysql',
    action,
    seen: { [name]: seen },
    sql: `SET GLOBAL ${name} = ${value}`,
    asks: [`SELECT @@global.${name}`, answerOf(value, declared)],
  }));

const account = (last: number, name = 'visits') => `mysql_user:${name}@${subnet}.${last}` as const;
const sqlAccount = (last: number, name = 'visits'): string => `'${name}'@'${subnet}.${last}'`;
const ofUser = (column: string, last: number, name = 'visits'): string =>
  `SELECT ${column} FROM mysql.user WHERE User = '${name}' AND Host = '${subnet}.${last}'`;
const configuration = (column: string): string =>
  `SELECT ${column} FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = ''`;

/** What a database server does by statements alone: no file of the host shows it. */
export const databaseRunning: readonly Damage[] = (
  [
    ...variables(11, 'web2', 'update', primary),
    {
      what: 'a setting kept for every start, by SET PERSIST',
      round: 11,
      host: 'web2',
      resource: 'mysql_settings:mysql',
      action: 'update',
      seen: { slow_query_log: 'ON → OFF', persisted: 'slow_query_log = ON → none' },
      sql: 'SET PERSIST slow_query_log = ON',
      asks: ['SELECT COUNT(*), @@global.slow_query_log FROM performance_schema.persisted_variables', '0\t0'],
    },
    {
      what: 'the redo log switched off',
      round: 11,
      host: 'web2',
      resource: 'mysql_settings:mysql',
      action: 'update',
      seen: { innodb_redo_log_enabled: 'OFF → ON' },
      sql: 'ALTER INSTANCE DISABLE INNODB REDO_LOG',
      asks: ["SHOW STATUS LIKE 'Innodb_redo_log_enabled'", 'Innodb_redo_log_enabled\tON'],
    },
    {
      what: 'only an old version of TLS, and loaded',
      round: 11,
      host: 'web2',
      resource: 'mysql_settings:mysql',
      action: 'update',
      seen: { tls_version: 'TLSv1.2 → TLSv1.2,TLSv1.3', current_tls_version: 'TLSv1.2 → TLSv1.2,TLSv1.3' },
      sql: "SET GLOBAL tls_version = 'TLSv1.2'; ALTER INSTANCE RELOAD TLS",
      asks: ["SHOW STATUS LIKE 'Current_tls_version'", 'Current_tls_version\tTLSv1.2,TLSv1.3'],
    },
    {
      what: 'another certificate to be loaded at the next chance',
      round: 11,
      host: 'web2',
      resource: 'mysql_settings:mysql',
      action: 'update',
      seen: { ssl_cert: '/etc/mysql/other.pem → /etc/hostwright/pki/mysql.crt' },
      sql: "SET GLOBAL ssl_cert = '/etc/mysql/other.pem'",
      asks: ['SELECT @@global.ssl_cert', '/etc/hostwright/pki/mysql.crt'],
    },
    {
      what: 'the queries of an account limited',
      round: 11,
      host: 'web2',
      resource: account(12),
      action: 'update',
      seen: { limits: '90000 queries an hour → none' },
      sql: `ALTER USER ${sqlAccount(12)} WITH MAX_QUERIES_PER_HOUR 90000`,
      asks: [ofUser('max_questions', 12), '0'],
    },
    {
      what: 'the connections of an account limited',
      round: 11,
      host: 'web2',
      resource: account(13),
      action: 'update',
      seen: { limits: '50 connections → none' },
      sql: `ALTER USER ${sqlAccount(13)} WITH MAX_USER_CONNECTIONS 50`,
      asks: [ofUser('max_user_connections', 13), '0'],
    },
    {
      what: 'a password that has expired',
      round: 11,
      host: 'web2',
      resource: account(13, 'seed'),
      action: 'update',
      seen: { expired: 'true → false' },
      sql: `ALTER USER ${sqlAccount(13, 'seed')} PASSWORD EXPIRE`,
      asks: [ofUser('password_expired', 13, 'seed'), 'N'],
    },
    {
      what: 'an account that failed logins lock',
      round: 11,
      host: 'web2',
      resource: account(13, 'seed'),
      action: 'update',
      seen: { limits: '3 failed logins until it is locked → none' },
      sql: `ALTER USER ${sqlAccount(13, 'seed')} FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME UNBOUNDED`,
      asks: [
        ofUser(
          "COALESCE(JSON_EXTRACT(User_attributes, '$.Password_locking.failed_login_attempts'), 0)",
          13,
          'seed',
        ),
        '0',
      ],
    },
    {
      what: 'a second password beside the first',
      round: 11,
      host: 'web2',
      resource: account(11),
      action: 'update',
      seen: { password: '*** → ***', otherPassword: 'also valid → none' },
      sql: `ALTER USER ${sqlAccount(11)} IDENTIFIED BY 'another' RETAIN CURRENT PASSWORD`,
      asks: [
        ofUser("COALESCE(JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password'), 0)", 11),
        '0',
      ],
    },
    {
      what: 'root with a password, from everywhere',
      round: 11,
      host: 'web2',
      resource: 'mysql_user:root@%',
      action: 'delete',
      sql: "CREATE USER root@'%' IDENTIFIED BY 'x'; GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION",
      asks: ["SELECT COUNT(*) FROM mysql.user WHERE User = 'root'", '1'],
    },
    {
      what: 'root with a password, from the host itself by TCP',
      round: 11,
      host: 'web2',
      resource: 'mysql_user:root@127.0.0.1',
      action: 'delete',
      sql: "CREATE USER root@'127.0.0.1' IDENTIFIED BY 'x'",
      asks: ["SELECT COUNT(*) FROM mysql.user WHERE User = 'root'", '1'],
    },
    {
      what: 'a role with all privileges given to the user of the exporter',
      round: 11,
      host: 'web2',
      resource: 'mysql_user:prometheus@localhost',
      action: 'update',
      seen: { grants: '' },
      sql: "CREATE ROLE IF NOT EXISTS chief; GRANT ALL ON *.* TO chief; GRANT chief TO 'prometheus'@'localhost'",
      asks: ["SELECT COUNT(*) FROM mysql.role_edges WHERE TO_USER = 'prometheus'", '0'],
    },
    {
      what: 'an account that may pass for another',
      round: 11,
      host: 'web2',
      resource: account(13, 'replication'),
      action: 'update',
      seen: { grants: '' },
      sql: `GRANT PROXY ON ${sqlAccount(11)} TO ${sqlAccount(13, 'replication')}`,
      asks: ["SELECT COUNT(*) FROM mysql.proxies_priv WHERE User = 'replication'", '0'],
    },
    {
      what: 'a setting kept for every start that only a start changes, and a restart since',
      round: 12,
      host: 'web3',
      resource: 'mysql_settings:mysql',
      action: 'restart',
      seen: { back_log: '222 → ', persisted: 'back_log = 222 → none' },
      sql: 'SET PERSIST_ONLY back_log = 222',
      behind: 'systemctl restart mysql',
      asks: ['SELECT COUNT(*), @@global.back_log <> 222 FROM performance_schema.persisted_variables', '0\t1'],
    },
    ...variables(12, 'web3', 'restart', replica),
    {
      what: 'databases left out of the replication',
      round: 12,
      host: 'web3',
      resource: 'mysql_replica:web2',
      action: 'update',
      seen: { filters: 'replicate_ignore_db nothing → none' },
      sql: 'STOP REPLICA; CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = (nothing); START REPLICA',
      asks: [
        "SELECT COUNT(*) FROM performance_schema.replication_applier_filters WHERE FILTER_RULE <> ''",
        '0',
      ],
    },
    {
      what: 'a replica an hour behind on purpose',
      round: 12,
      host: 'web3',
      resource: 'mysql_replica:web2',
      action: 'update',
      seen: { delay: '3600 → 0' },
      sql: 'STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 3600; START REPLICA',
      asks: [
        "SELECT DESIRED_DELAY FROM performance_schema.replication_applier_configuration WHERE CHANNEL_NAME = ''",
        '0',
      ],
    },
    {
      what: 'a replica that does not notice that its primary is gone',
      round: 12,
      host: 'web3',
      resource: 'mysql_replica:web2',
      action: 'update',
      seen: { options: 'no heartbeat → as declared' },
      sql: 'STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD = 0; START REPLICA',
      asks: [configuration('HEARTBEAT_INTERVAL > 0'), '1'],
    },
    {
      what: 'a replica that gives up',
      round: 12,
      host: 'web3',
      resource: 'mysql_replica:web2',
      action: 'update',
      seen: { options: 'gives up after 3 times → as declared' },
      sql: 'STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_RETRY_COUNT = 3; START REPLICA',
      asks: [configuration('CONNECTION_RETRY_COUNT > 1000'), '1'],
    },
    {
      what: 'a replica that takes compressed transactions only',
      round: 12,
      host: 'web3',
      resource: 'mysql_replica:web2',
      action: 'update',
      seen: { options: 'zlib → as declared' },
      sql: "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_COMPRESSION_ALGORITHMS = 'zlib'; START REPLICA",
      asks: [configuration('COMPRESSION_ALGORITHM'), 'uncompressed'],
    },
    {
      what: 'a second source of a replica',
      round: 12,
      host: 'web3',
      resource: 'mysql_replica:web2',
      action: 'update',
      seen: { otherSources: 'other → none' },
      sql: "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '192.0.2.66', SOURCE_USER = 'x' FOR CHANNEL 'other'",
      asks: [
        "SELECT COUNT(*) FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME <> ''",
        '0',
      ],
    },
  ] satisfies readonly Slot[]
).map(running);
