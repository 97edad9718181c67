import { z } from 'zod';
import { secretValue } from '../attribute.ts';
import { path } from '../path.ts';
import { clientOptions } from './client-options.ts';
import type { Seeding } from './seeding-mark.ts';
import { acknowledgeStatements } from './semi-sync.ts';
import { flavor, plainText, sqlText, type Flavor } from './sql.ts';

// Both end up in option files and in CHANGE REPLICATION SOURCE, which takes 32 characters at most.
const password = secretValue(
  'expected a Secret of at most 32 letters, digits and signs without quotes',
  (value) => /^[!$%&()*+,./0-9:<=>?@A-Z[\]^_a-z{|}~-]{1,32}$/.test(value),
);

const hostAddress = z.string().regex(/^[\w.:-]+$/, 'expected an address or a host name');
const userName = plainText.regex(/^[\w.-]{1,32}$/, 'expected a name of letters, digits, "_", "." and "-"');

export const replicaSchema = z.strictObject({
  primary: z
    .string()
    .regex(/^[\w.-]+$/, 'expected the name of a host')
    .describe('The name of the primary, shown in the plan'),
  flavor,
  address: hostAddress.describe('The address of the primary; its certificate must contain it'),
  port: z.number().int().min(1).max(65535).default(3306),
  user: userName.describe('A user on the primary with REPLICATION SLAVE'),
  password,
  seedUser: userName.describe(
    'A user on the primary that may copy all data: BACKUP_ADMIN, or the privileges of a dump',
  ),
  seedPassword: password,
  ca: path.describe('The file with the CA certificates that verify the primary'),
  certificate: path.describe('The client certificate of the replica'),
  key: path.describe('The key of `certificate`, readable by the server'),
  discard: z
    .string()
    .optional()
    .describe('Transactions that the primary lacks and that may be lost: the data is then copied again'),
  semiSync: z
    .boolean()
    .default(false)
    .describe('Acknowledges what it receives, for a primary whose commits wait for that'),
  seedTimeout: z
    .number()
    .int()
    .positive()
    .default(14_400)
    .describe('Seconds that the copy of the data may take'),
});

export type Replica = z.output<typeof replicaSchema>;

export interface Failure {
  readonly number: number;
  readonly message: string;
}

/** What a replica and its primary say together. */
export interface ReplicaStatus {
  readonly readOnly: boolean;
  /** `on` also while it receives nothing; else what is wrong with it. */
  readonly semiSync: string;
  /** `address:port` of where it replicates from. */
  readonly source: string | null;
  readonly user: string;
  /** Of the password that it logs in with, hexadecimal SHA-256. */
  readonly passwordHash: string;
  /** `verified`, or what is wrong with it. */
  readonly tls: string;
  readonly position: 'gtid' | 'file';
  /** Seconds that it stays behind on purpose. */
  readonly delay: number;
  /** What it leaves out or renames. */
  readonly filters: readonly string[];
  /** Other sources that it follows. */
  readonly channels: readonly string[];
  /** Other options of the connection and the applier that are not as declared, in words. */
  readonly options: readonly string[];
  readonly receiving: string;
  readonly applying: string;
  /** Why transactions do not arrive. */
  readonly receiveFailure: Failure | null;
  /** Why transactions that have arrived are not applied. */
  readonly applyFailure: Failure | null;
  /** It takes part in a Galera cluster, and follows nobody. */
  readonly isMember: boolean;
  /** From where on MariaDB follows a primary, as it has itself taken writes until now: GTIDs. */
  readonly startPosition: string | undefined;
  /** It has never executed a transaction with a GTID. */
  readonly isEmpty: boolean;
  /** Databases beside those of the system. */
  readonly databases: readonly string[];
  /** A copy of the data was begun and has not come to its end. */
  readonly seeding: Seeding | undefined;
  /** GTIDs that the primary lacks; `null` when the primary does not answer. */
  readonly ownTransactions: string | null;
  /** Of these the marks of its history: the primary has begun another one. Empty where it has them. */
  readonly lostMarks: string;
  /** The primary lacks transactions that it has itself given to the replica: it will use their numbers again. */
  readonly isAhead: boolean;
  /** The primary has transactions that are not here yet. */
  readonly isBehind: boolean;
  /** The primary no longer has the binary logs with transactions that are not here yet. */
  readonly isPurged: boolean;
  /** Why the primary does not answer. */
  readonly primaryError: string | null;
}

/** Seconds between two attempts to connect, and how many of them: for years, an outage ends. */
export const connectRetry = 2;
export const retryCount = 100_000_000;
/**
 * Seconds of silence after which the primary says that it is there, and that there is nothing more. A replica that does
 * not hear that is behind, however little it has left to apply.
 */
export const heartbeat = 1;

/** An option file for the client, as a user of the primary. */
export function primaryOptions(replica: Replica, user: string, password: string): Buffer {
  const { flavor: server, address, port, ca, certificate, key } = replica;
  return clientOptions(server, { user, password, ca, certificate, key }, [`host=${address}`, `port=${port}`]);
}

export function isFollowing(status: ReplicaStatus): boolean {
  return status.receiving === 'on' && status.applying === 'on';
}

/** What of the source is not as declared. */
export function isSource(status: ReplicaStatus, replica: Replica, passwordHash: string): boolean {
  return (
    status.source === `${replica.address}:${replica.port}` &&
    status.user === replica.user &&
    status.passwordHash === passwordHash &&
    status.tls === 'verified' &&
    status.position === 'gtid' &&
    status.delay === 0 &&
    status.options.length === 0
  );
}

/** Statements that point a replica to its primary, with the password in clear: for standard input only. */
export function sourceStatements(replica: Replica): readonly string[] {
  const options = {
    HOST: sqlText(replica.address),
    PORT: replica.port,
    USER: sqlText(replica.user),
    PASSWORD: sqlText(replica.password.reveal()),
    CONNECT_RETRY: connectRetry,
    HEARTBEAT_PERIOD: heartbeat,
    DELAY: 0,
    SSL: 1,
    SSL_CA: sqlText(replica.ca),
    SSL_CERT: sqlText(replica.certificate),
    SSL_KEY: sqlText(replica.key),
    SSL_VERIFY_SERVER_CERT: 1,
    ...(replica.flavor === 'mysql'
      ? { AUTO_POSITION: 1, RETRY_COUNT: retryCount, BIND: "''", TLS_VERSION: "''", TLS_CIPHERSUITES: 'NULL' }
      : { USE_GTID: 'slave_pos' }),
  };
  const [verb, prefix] =
    replica.flavor === 'mysql' ? ['CHANGE REPLICATION SOURCE TO', 'SOURCE'] : ['CHANGE MASTER TO', 'MASTER'];
  const list = Object.entries(options).map(([name, value]) => `${prefix}_${name} = ${value}`);
  return [stopStatement(replica), `${verb} ${[...list, ...plainOptions[replica.flavor]].join(', ')}`];
}

/** One that followed nobody has its history in its own binary log, which MariaDB does not go by. */
export function positionStatements({ source, startPosition }: ReplicaStatus): readonly string[] {
  return source === null && startPosition !== undefined
    ? [`SET GLOBAL gtid_slave_pos = ${sqlText(startPosition)}`]
    : [];
}

/** Options of the source without its prefix, and of the applier. */
const plainOptions: Readonly<Record<Flavor, readonly string[]>> = {
  mysql: [
    ...["SOURCE_SSL_CIPHER = ''", "SOURCE_SSL_CRL = ''", "SOURCE_COMPRESSION_ALGORITHMS = 'uncompressed'"],
    ...['SOURCE_CONNECTION_AUTO_FAILOVER = 0', 'PRIVILEGE_CHECKS_USER = NULL', 'REQUIRE_ROW_FORMAT = 0'],
    ...['REQUIRE_TABLE_PRIMARY_KEY_CHECK = STREAM', 'ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS = OFF'],
  ],
  mariadb: ['IGNORE_SERVER_IDS = ()'],
};

const filterNames = [
  'do_db',
  'ignore_db',
  'do_table',
  'ignore_table',
  'wild_do_table',
  'wild_ignore_table',
  'rewrite_db',
];

/** Statements that make it acknowledge what it receives; a connection that stands must begin anew for that. */
export function semiSyncStatements(replica: Replica, { semiSync }: ReplicaStatus): readonly string[] {
  return replica.semiSync && semiSync !== 'on'
    ? [...acknowledgeStatements(replica.flavor), stopStatement(replica)]
    : [];
}

/** Statements that end all filters, and every other source. */
export function wholeStatements(replica: Replica, { filters, channels }: ReplicaStatus): readonly string[] {
  const names = filterNames.map((name) => `replicate_${name}`);
  const unfiltered =
    replica.flavor === 'mysql'
      ? [`CHANGE REPLICATION FILTER ${names.map((name) => `${name} = ()`).join(', ')}`]
      : names
          .filter((name) => filters.some((filter) => filter.startsWith(`${name} `)))
          .map((name) => `SET GLOBAL ${name} = ''`);
  return [
    ...(filters.length === 0 ? [] : [stopStatement(replica), ...unfiltered]),
    ...channels.flatMap((name) => [
      // Those of a group, which it has left, run only in it, and refuse this.
      ...(name.startsWith('group_replication_') ? [] : [`STOP REPLICA FOR CHANNEL ${sqlText(name)}`]),
      `RESET REPLICA ALL FOR CHANNEL ${sqlText(name)}`,
    ]),
  ];
}

/**
 * Statements that drop what was received, so that it is sent once more. MariaDB does so at each start of a replica
 * that goes by GTID.
 */
export function resetStatements({ flavor: server }: Replica): readonly string[] {
  return server === 'mysql' ? ['RESET REPLICA'] : [];
}

export function stopStatement({ flavor: server }: Replica): string {
  return server === 'mysql' ? 'STOP REPLICA' : 'STOP SLAVE';
}

export function startStatements(replica: Replica): readonly string[] {
  const [readOnly, start] =
    replica.flavor === 'mysql' ? ['super_read_only', 'START REPLICA'] : ['read_only', 'START SLAVE'];
  return [`SET GLOBAL ${readOnly} = ON`, stopStatement(replica), start];
}
