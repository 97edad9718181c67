import { randomPassword, secret, z } from 'hostwright';

const generated = () => secret({ generate: () => Promise.resolve(randomPassword()) });

const grants = z
  .record(z.string(), z.array(z.string()).nonempty())
  .describe('privileges by level: {"shop.*": [SELECT, INSERT]}');

const database = z.union([
  z.string(),
  z.strictObject({ name: z.string(), charset: z.string().optional(), collation: z.string().optional() }),
]);

const user = z
  .strictObject({
    name: z.string(),
    password: secret(),
    from: z.string().optional().describe('a group of the inventory: one user for the address of each host'),
    address: z.string().optional().describe('an address, or a pattern such as 10.0.0.%'),
    grants,
  })
  .refine((one) => (one.from === undefined) !== (one.address === undefined), 'expected "from" or "address"');

const size = z.union([
  z.number().int().min(5_242_880),
  z.string().regex(/^\d+[KMG]$/, 'expected bytes, or a number with K, M or G'),
]);

const scalar = z.union([
  z.string().regex(/^[^\n\0]*$/, 'expected a single line'),
  z.number(),
  z.boolean().transform((on) => (on ? 'ON' : 'OFF')),
]);

const word = z.string().regex(/^[^\s\0]+$/, 'expected one word');

const repository = z.strictObject({
  uri: word.describe('such as https://repo.mysql.com/apt/debian'),
  suite: word.optional().describe('the release of the host, such as trixie, where it is left out'),
  components: z.array(word).default(['main']).describe('such as [mysql-9.7-lts]'),
  key: z
    .string()
    .describe('the public key that signs it, ASCII-armoured, or the path of a keyring on the host'),
  origin: z
    .string()
    .regex(/^[^\n\0,]+$/, 'expected the Origin of its Release file')
    .describe('what its Release file says as Origin, such as MySQL: `apt-cache policy` shows it behind o='),
  packages: z
    .array(word)
    .nonempty()
    .default(['mysql-*', 'libmysqlclient*', 'percona-*', 'libperconaserverclient*'])
    .describe('names of packages, with *, that may come from there; no other does'),
  package: z
    .string()
    .default('mysql-community-server')
    .describe('the package with the server; percona-server-server of Percona'),
});

export const variables = z.object({
  mysql_flavor: z
    .enum(['mysql', 'mariadb'])
    .default('mysql')
    .describe("mysql (9.x, from mysql_repository, or Debian sid, pinned) or mariadb (Debian's own)"),
  mysql_topology: z
    .enum(['primary_replica', 'group'])
    .default('primary_replica')
    .describe(
      'primary_replica: one server takes writes, the others copy it; group: they go on by themselves when a host is lost. mysql: Group Replication, with three hosts in db; mariadb: Galera, with three hosts in db and arbitrator',
    ),
  mysql_group_name: z
    .uuid()
    .default('67726f75-7020-4f66-9064-617461626173')
    .describe(
      'for group (mysql): a UUID, the same on all members, under which the group numbers its transactions; another one only where the data of two sites come together',
    ),
  mysql_primary: z
    .string()
    .optional()
    .describe('name of the host that takes writes; the first of the group db where it is left out'),
  mysql_port: z.number().int().min(1).max(65535).default(3306).describe('port, on the address of the host'),
  mysql_server_id: z
    .number()
    .int()
    .min(1)
    .max(2 ** 32 - 1)
    .optional()
    .describe('number of the server among all that replicate; derived from its name where it is left out'),
  mysql_databases: z.array(database).default([]).describe('databases beside those that other roles ask for'),
  mysql_users: z
    .array(user)
    .default([])
    .describe('users beside those that other roles ask for, each with all its privileges'),
  mysql_replication_password: generated().describe('password of the user replication; made on first use'),
  mysql_seed_password: generated().describe(
    'password of the user seed, who copies all data to a new replica; made on first use',
  ),
  mysql_observer_password: generated().describe(
    'password of the user observer, as whom the servers ask each other who takes writes; made on first use',
  ),
  mysql_durability: z
    .enum(['fallback', 'strict'])
    .default('fallback')
    .describe(
      'what a commit does while no replica acknowledges it: waits 10 s and then goes on without (fallback), or waits until one does (strict)',
    ),
  mysql_innodb_buffer_pool_size: size
    .optional()
    .describe('bytes, or 512M; a quarter of the memory where it is left out'),
  mysql_max_connections: z.number().int().min(10).max(100_000).default(200).describe('clients at a time'),
  mysql_binlog_days: z
    .number()
    .positive()
    .max(365)
    .default(7)
    .describe('days that binary logs are kept: a replica that was away for longer is seeded anew'),
  mysql_keep: z
    .array(z.string())
    .default([])
    .describe(
      'names in /etc/mysql/conf.d and mysql.conf.d or mariadb.conf.d that stay although the role does not write them, with * and ?',
    ),
  mysql_settings: z
    .record(z.string().regex(/^[a-z][a-z0-9_-]*$/, 'expected the name of a setting'), scalar)
    .default({})
    .describe('any other settings of the server, which win over those of the role'),
  mysql_discard_transactions: z
    .string()
    .optional()
    .describe(
      'for one replica: exactly the transactions, as the error names them, that it holds alone and that may be lost',
    ),
  mysql_seed_timeout: z
    .number()
    .int()
    .positive()
    .default(14_400)
    .describe('seconds that a copy of all data to a replica may take'),
  mysql_writer_check_port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(9200)
    .describe(
      'where proxies of the databases ask whether this server takes writes, on the address of the host',
    ),
  mysql_replica_max_lag: z
    .number()
    .int()
    .min(1)
    .default(10)
    .describe('seconds that a replica may be behind and is still read from'),
  mysql_repository_uri: z
    .string()
    .default('http://deb.debian.org/debian')
    .describe('where sid is, for the flavor mysql without mysql_repository'),
  mysql_repository: repository
    .optional()
    .describe(
      "where MySQL comes from in the place of Debian's sid: MySQL's own apt repository, or Percona's",
    ),
});

export type Variables = z.output<typeof variables>;
