import type { Damage } from './damage.ts';

type Slot = Omit<Damage, 'role' | 'breaks' | 'sound'> & {
  /** Statements that do the damage. */
  readonly sql: string;
  /** A query, and what it answers while all is well. */
  readonly asks: readonly [query: string, answer: string];
};

/** As root through the socket, each statement by standard input: no quoting but that of the statement. */
const mysql = (statements: string): string => `mysql -N <<'SQL'\n${statements};\nSQL\n`;

const inDatabase = ({ sql, asks: [query, answer], ...damage }: Slot): Damage => ({
  ...damage,
  role: 'mysql',
  breaks: mysql(sql),
  sound: `[ "$(${mysql(query)})" = '${answer}' ]`,
});

const source = (column: string): string =>
  `SELECT ${column} FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = ''`;
const runs = `SELECT CONCAT(c.SERVICE_STATE, ' ', a.SERVICE_STATE) FROM performance_schema.replication_connection_status c,
  performance_schema.replication_applier_status a WHERE c.CHANNEL_NAME = '' AND a.CHANNEL_NAME = ''`;

/** What MySQL keeps: users, grants, databases, and where a replica gets its data from. */
export const database: readonly Damage[] = [
  {
    what: 'the password of the application changed',
    round: 4,
    host: 'web2',
    role: 'mysql',
    resource: 'mysql_user:visits@10.213.99.12',
    action: 'update',
    seen: { password: '*** → ***' },
    breaks: mysql("ALTER USER 'visits'@'10.213.99.12' IDENTIFIED BY 'another'"),
    // As the application logs in.
    sound: `. /srv/visits/environment
MYSQL_PWD=$DATABASE_PASSWORD mysql -h 10.213.99.12 -u visits --ssl-mode=REQUIRED -e 'SELECT 1'`,
  },
  ...(
    [
      {
        what: 'the user of the application given everything',
        round: 1,
        host: 'web2',
        resource: 'mysql_user:visits@10.213.99.11',
        action: 'update',
        seen: { grants: '' },
        sql: "GRANT ALL ON *.* TO 'visits'@'10.213.99.11' WITH GRANT OPTION",
        asks: ["SELECT Super_priv FROM mysql.user WHERE User = 'visits' AND Host = '10.213.99.11'", 'N'],
      },
      {
        what: 'a privilege of the application revoked',
        round: 3,
        host: 'web2',
        resource: 'mysql_user:visits@10.213.99.12',
        action: 'update',
        seen: { grants: '' },
        sql: "REVOKE INSERT ON visits.* FROM 'visits'@'10.213.99.12'",
        asks: ["SELECT Insert_priv FROM mysql.db WHERE User = 'visits' AND Host = '10.213.99.12'", 'Y'],
      },
      {
        what: 'the user who seeds replicas dropped',
        round: 6,
        host: 'web2',
        resource: 'mysql_user:seed@10.213.99.13',
        action: 'create',
        sql: "DROP USER 'seed'@'10.213.99.13'",
        asks: ["SELECT COUNT(*) FROM mysql.user WHERE User = 'seed'", '2'],
      },
      {
        what: 'replication without a certificate allowed',
        round: 1,
        host: 'web2',
        resource: 'mysql_user:replication@10.213.99.13',
        action: 'update',
        seen: { tls: 'none → x509' },
        sql: "ALTER USER 'replication'@'10.213.99.13' REQUIRE NONE",
        asks: [
          "SELECT ssl_type FROM mysql.user WHERE User = 'replication' AND Host = '10.213.99.13'",
          'X509',
        ],
      },
      {
        what: 'the user of the exporter locked',
        round: 3,
        host: 'web2',
        resource: 'mysql_user:prometheus@localhost',
        action: 'update',
        seen: { locked: 'true → false' },
        sql: "ALTER USER 'prometheus'@'localhost' ACCOUNT LOCK",
        asks: ["SELECT account_locked FROM mysql.user WHERE User = 'prometheus'", 'N'],
      },
      {
        what: 'a user of the socket given a password',
        round: 6,
        host: 'web2',
        resource: 'mysql_user:prometheus@localhost',
        action: 'update',
        seen: { authentication: 'caching_sha2_password → auth_socket' },
        sql: "ALTER USER 'prometheus'@'localhost' IDENTIFIED WITH caching_sha2_password BY 'another'",
        asks: ["SELECT plugin FROM mysql.user WHERE User = 'prometheus'", 'auth_socket'],
      },
      {
        what: 'an anonymous user made',
        round: 4,
        host: 'web2',
        resource: 'mysql_user:@localhost',
        action: 'delete',
        sql: "CREATE USER ''@'localhost'",
        asks: ["SELECT COUNT(*) FROM mysql.user WHERE User = ''", '0'],
      },
      {
        what: 'the database test made',
        round: 6,
        host: 'web2',
        resource: 'mysql_database:test',
        action: 'delete',
        sql: 'CREATE DATABASE test',
        asks: ["SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'test'", '0'],
      },
      {
        what: 'a database dropped',
        round: 1,
        host: 'web2',
        resource: 'mysql_database:reports',
        action: 'create',
        sql: 'DROP DATABASE reports',
        asks: ["SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'reports'", '1'],
      },
      {
        what: 'the primary made read-only',
        round: 3,
        host: 'web2',
        resource: 'mysql_primary:web2',
        action: 'update',
        seen: { readOnly: 'true → false' },
        sql: 'SET GLOBAL super_read_only = ON',
        asks: ['SELECT @@read_only', '0'],
      },
      {
        what: 'replication stopped',
        round: 3,
        host: 'web3',
        resource: 'mysql_replica:web2',
        action: 'update',
        seen: { receiving: 'off → on', applying: 'off → on' },
        sql: 'STOP REPLICA',
        asks: [runs, 'ON ON'],
      },
      {
        what: 'a replica opened for writing',
        round: 2,
        host: 'web3',
        resource: 'mysql_replica:web2',
        action: 'update',
        seen: { readOnly: 'false → true' },
        sql: 'SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF',
        asks: ['SELECT @@super_read_only', '1'],
      },
      {
        what: 'replication pointed to another server',
        round: 5,
        host: 'web3',
        resource: 'mysql_replica:web2',
        action: 'update',
        seen: { source: '192.0.2.66:3306 → 10.213.99.12:3306', receiving: '' },
        sql: "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_HOST = '192.0.2.66'; START REPLICA",
        asks: [source('HOST'), '10.213.99.12'],
      },
      {
        what: 'replication without a check of the certificate of the primary',
        round: 6,
        host: 'web3',
        resource: 'mysql_replica:web2',
        action: 'update',
        seen: { tls: 'not verified → verified' },
        sql: 'STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_SSL_VERIFY_SERVER_CERT = 0; START REPLICA',
        asks: [source('SSL_VERIFY_SERVER_CERTIFICATE'), 'YES'],
      },
      {
        what: 'replication by file and position instead of GTID',
        round: 6,
        host: 'web3',
        resource: 'mysql_replica:web2',
        action: 'update',
        seen: { position: 'file → gtid' },
        sql: 'STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 0; START REPLICA',
        asks: [source('AUTO_POSITION'), '1'],
      },
    ] satisfies readonly Slot[]
  ).map(inDatabase),
];
