import { z } from 'zod';
import { Secret } from '../../secrets/secret.ts';
import { secretValue } from '../attribute.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import type { Change } from '../state.ts';
import { each } from '../step.ts';
import { accountLimits, limitColumns, showLimits, unlimited } from './account-limits.ts';
import { changeGrants, declaredGrants, grants, parseGrants, showGrants } from './grants.ts';
import { cachingSha2, isCachingSha2, nativePassword } from './password.ts';
import { probeServer, type Question } from './question.ts';
import { flavor, plainText, runSql, sqlBytes, sqlText, type Flavor } from './sql.ts';

const schema = z
  .strictObject({
    name: plainText.max(32).describe("The user name; '' is the anonymous user, which can only be `absent`"),
    host: plainText
      .min(1)
      .max(255)
      .describe('The client: an address, `10.0.0.%`, or `localhost` for the socket'),
    flavor,
    password: secretValue('expected a Secret')
      .optional()
      .describe('The server receives only its hash, for caching_sha2_password or mysql_native_password'),
    socket: z
      .literal(true)
      .optional()
      .describe('No password: the system user of that name logs in through the socket'),
    tls: z
      .enum(['none', 'any', 'x509'])
      .default('any')
      .describe('`x509` also requires a client certificate. Not for users of the socket'),
    grants: grants
      .default({})
      .describe('All privileges, by level: `shop.*: [SELECT, INSERT]`. All others are revoked'),
    absent: z.boolean().default(false),
  })
  .refine((user) => user.absent || (user.password === undefined) !== (user.socket === undefined), {
    message: 'expected either "password" or "socket"',
  })
  .refine((user) => user.absent || user.name !== '', { message: 'expected a name', path: ['name'] });

type User = z.output<typeof schema>;

function accountOf(user: User): string {
  return `${sqlText(user.name)}@${sqlText(user.host)}`;
}

const plugins: Readonly<Record<Flavor, { readonly password: string; readonly socket: string }>> = {
  mysql: { password: 'caching_sha2_password', socket: 'auth_socket' },
  mariadb: { password: 'mysql_native_password', socket: 'unix_socket' },
};

function pluginOf(user: User): string {
  return plugins[user.flavor][user.password === undefined ? 'socket' : 'password'];
}

function tlsOf(user: User): 'none' | 'any' | 'x509' {
  return user.socket === true ? 'none' : user.tls;
}

const queries: Readonly<Record<Flavor, string>> = {
  mysql: `SELECT JSON_OBJECT('name', User, 'host', Host, 'plugin', plugin, 'hash', HEX(authentication_string),
  'tls', LOWER(ssl_type), 'locked', account_locked = 'Y', ${limitColumns.mysql}) FROM mysql.user`,
  mariadb: `SELECT JSON_OBJECT('name', User, 'host', Host,
  'plugin', IF(JSON_EXISTS(Priv, '$.auth_or'), 'several', JSON_VALUE(Priv, '$.plugin')),
  'hash', HEX(COALESCE(JSON_VALUE(Priv, '$.authentication_string'), '')),
  'tls', ELT(COALESCE(JSON_VALUE(Priv, '$.ssl_type'), 0) + 1, '', 'any', 'x509', 'specified'),
  'locked', COALESCE(JSON_VALUE(Priv, '$.account_locked'), 'false') IN ('1', 'true'), ${limitColumns.mariadb}) FROM mysql.global_priv`,
};

const row = accountLimits.extend({
  name: z.string(),
  host: z.string(),
  plugin: z.string().nullable(),
  hash: z.string().nullable(),
  tls: z.string().nullable(),
  locked: z.number().or(z.boolean()),
});

function questionOf(server: Flavor, batch: readonly User[]): Question {
  const accounts = batch.map((user) => `(${sqlText(user.name)}, ${sqlText(user.host)})`).join(', ');
  const shows = batch
    .map(
      (user, index) => `SELECT '#${index}';\n${user.absent ? '' : `SHOW GRANTS FOR ${accountOf(user)};\n`}`,
    )
    .join('');
  return { rows: `${queries[server]} WHERE (User, Host) IN (${accounts});\n${shows}` };
}

function passwordState(user: User, hash: Buffer): Secret | null {
  if (user.password === undefined) return null;
  const password = user.password.reveal();
  const isSame =
    user.flavor === 'mysql'
      ? isCachingSha2(hash, password)
      : hash.toString('latin1') === nativePassword(password);
  return isSame ? user.password : new Secret(hash.toString('latin1'));
}

function parse(answer: readonly string[], batch: readonly User[]) {
  const start = answer.indexOf('#0');
  if (start < 0) throw new RangeError('the grants of the users are missing');
  const rows = answer.slice(0, start).map((text) => row.parse(JSON.parse(text)));
  const shown = new Map<number, string[]>();
  let index = 0;
  for (const text of answer.slice(start)) {
    if (/^#\d+$/.test(text)) shown.set((index = Number(text.slice(1))), []);
    // Users that are not there have no grants to show.
    else if (!text.startsWith('ERROR ')) shown.get(index)?.push(text);
  }
  return batch.map((user, at) => {
    const found = rows.find(({ name, host }) => name === user.name && host === user.host);
    if (found === undefined) return null;
    // MariaDB shows the hash of the password among the grants.
    const grantLines = (shown.get(at) ?? []).map((text) =>
      text.replace(/ IDENTIFIED (BY PASSWORD|VIA) .*?(?= REQUIRE | WITH |$)/, ''),
    );
    return {
      authentication: found.plugin ?? '',
      password: passwordState(user, Buffer.from(found.hash ?? '', 'hex')),
      tls: found.tls === null || found.tls === '' ? 'none' : found.tls,
      locked: Boolean(found.locked),
      expired: Boolean(found.expired),
      limits: showLimits(found),
      otherPassword: found.second ? 'also valid' : 'none',
      grants: showGrants(parseGrants(grantLines)),
      shown: grantLines.join('\n'),
    };
  });
}

function want(user: User) {
  if (user.absent) return null;
  return {
    authentication: pluginOf(user),
    password: user.password,
    tls: tlsOf(user),
    locked: false,
    expired: false,
    limits: 'none',
    otherPassword: 'none',
    grants: showGrants({ granted: declaredGrants(user.grants, user.flavor), others: [] }),
  };
}

function authentication(user: User): string {
  const plugin = pluginOf(user);
  if (user.password === undefined) {
    return user.flavor === 'mysql' ? `IDENTIFIED WITH ${plugin}` : `IDENTIFIED VIA ${plugin}`;
  }
  const password = user.password.reveal();
  return user.flavor === 'mysql'
    ? `IDENTIFIED WITH ${plugin} AS 0x${cachingSha2(password).toString('hex')}`
    : `IDENTIFIED VIA ${plugin} USING '${nativePassword(password)}'`;
}

const requirements = { none: 'NONE', any: 'SSL', x509: 'X509' };

/** Statements that make an account that is not there. They hold the hash of its password: for standard input only. */
export function createUserStatements(attributes: z.input<typeof schema>): readonly string[] {
  const user = schema.parse(attributes);
  const account = accountOf(user);
  return [
    `CREATE USER ${account} ${authentication(user)} REQUIRE ${requirements[tlsOf(user)]}`,
    ...changeGrants(account, parseGrants([]), declaredGrants(user.grants, user.flavor)),
  ];
}

function statements({ desired: user, actual, attributes }: Change<User>): readonly string[] {
  const account = accountOf(user);
  if (user.absent) return [`DROP USER IF EXISTS ${account}`];
  const isNew = actual === null;
  const names = attributes.map(({ name }) => name);
  const hasLimits = names.includes('limits') || names.includes('expired');
  const limits = hasLimits ? ` ${unlimited[user.flavor]}` : '';
  const identity = `${account} ${authentication(user)} REQUIRE ${requirements[tlsOf(user)]}`;
  const shown = actual?.['shown'];
  const before = parseGrants(typeof shown === 'string' && shown !== '' ? shown.split('\n') : []);
  return [
    ...(isNew ? [`CREATE USER ${identity}`] : []),
    ...(!isNew && names.some((name) => name !== 'grants')
      ? [`ALTER USER ${identity}${limits} ACCOUNT UNLOCK`]
      : []),
    ...(!isNew && names.includes('otherPassword') ? [`ALTER USER ${account} DISCARD OLD PASSWORD`] : []),
    ...changeGrants(account, before, declaredGrants(user.grants, user.flavor)),
  ];
}

export const mysqlUserType = defineResource({
  name: 'mysql_user',
  summary: 'A user of MySQL or MariaDB with all its grants; undeclared privileges are revoked',
  schema,
  key: (user) => `${user.name}@${user.host}`,
  want,
  probe: (batch) => {
    const server = batch[0]?.flavor ?? 'mysql';
    return probeServer(server, batch, questionOf(server, batch), (rows) => parse(rows, batch));
  },
  apply: each((change) => ({
    resources: [change.id],
    title: `${change.desired.absent ? 'drop' : 'set up'} user ${change.desired.name}@${change.desired.host}`,
    script: runSql(change.desired.flavor),
    stdin: sqlBytes(statements(change)),
  })),
  comparison: { computed: ['shown'] },
  order: { provides: () => false },
});

/**
 * A user: `mysqlUser('app', '10.0.0.%', { flavor: 'mysql', password, grants: { 'shop.*': ['SELECT'] } })`.
 */
export function mysqlUser(
  name: string,
  host: string,
  attributes: Omit<z.input<typeof schema>, 'name' | 'host'>,
  options?: ResourceOptions,
): Resource {
  return declare(mysqlUserType, { name, host, ...attributes }, options);
}
