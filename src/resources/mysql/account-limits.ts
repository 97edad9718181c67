import { z } from 'zod';
import type { Flavor } from './sql.ts';

const number = z.coerce.number().nullable();

/** What an account may use, and what becomes of its password, as the server keeps it; 0 and null for nothing special. */
export const accountLimits = z.object({
  queries: number,
  updates: number,
  logins: number,
  connections: number,
  seconds: number,
  expired: z.coerce.number().or(z.boolean()),
  lifetime: number,
  history: number,
  reuse: number,
  attempts: number,
  factors: z.coerce.number().or(z.boolean()),
  second: z.coerce.number().or(z.boolean()),
});

export type AccountLimits = z.output<typeof accountLimits>;

/** The members of `accountLimits`, for JSON_OBJECT. */
export const limitColumns: Readonly<Record<Flavor, string>> = {
  mysql: `'queries', max_questions, 'updates', max_updates, 'logins', max_connections, 'connections', max_user_connections,
  'seconds', 0, 'expired', password_expired = 'Y', 'lifetime', password_lifetime, 'history', Password_reuse_history,
  'reuse', Password_reuse_time, 'attempts', JSON_VALUE(User_attributes, '$.Password_locking.failed_login_attempts'),
  'factors', COALESCE(JSON_CONTAINS_PATH(User_attributes, 'one', '$.multi_factor_authentication'), 0),
  'second', COALESCE(JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password'), 0)`,
  mariadb: `'queries', JSON_VALUE(Priv, '$.max_questions'), 'updates', JSON_VALUE(Priv, '$.max_updates'),
  'logins', JSON_VALUE(Priv, '$.max_connections'), 'connections', JSON_VALUE(Priv, '$.max_user_connections'),
  'seconds', JSON_VALUE(Priv, '$.max_statement_time'), 'expired', COALESCE(JSON_VALUE(Priv, '$.password_last_changed'), 1) = 0,
  'lifetime', NULLIF(JSON_VALUE(Priv, '$.password_lifetime'), -1), 'history', NULL, 'reuse', NULL, 'attempts', NULL,
  'factors', 0, 'second', 0`,
};

/** In words; `none` where there is nothing special. */
export function showLimits(limits: AccountLimits): string {
  const given = (count: number | null, words: string): readonly string[] =>
    count === null || count === 0 ? [] : [`${count} ${words}`];
  const words = [
    ...given(limits.queries, 'queries an hour'),
    ...given(limits.updates, 'updates an hour'),
    ...given(limits.logins, 'logins an hour'),
    ...given(limits.connections, 'connections'),
    ...given(limits.seconds, 'seconds a statement'),
    ...given(limits.lifetime, 'days until the password expires'),
    ...given(limits.history, 'passwords that must not come back'),
    ...given(limits.reuse, 'days until a password may come back'),
    ...given(limits.attempts, 'failed logins until it is locked'),
    ...(limits.factors ? ['another factor'] : []),
  ];
  return words.join(', ') || 'none';
}

const resources = [
  'MAX_QUERIES_PER_HOUR',
  'MAX_UPDATES_PER_HOUR',
  'MAX_CONNECTIONS_PER_HOUR',
  'MAX_USER_CONNECTIONS',
];

/** The end of ALTER USER for an account without limits. */
export const unlimited: Readonly<Record<Flavor, string>> = {
  mysql: `WITH ${resources.map((name) => `${name} 0`).join(' ')} PASSWORD EXPIRE DEFAULT PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT FAILED_LOGIN_ATTEMPTS 0 PASSWORD_LOCK_TIME 0`,
  mariadb: `WITH ${[...resources, 'MAX_STATEMENT_TIME'].map((name) => `${name} 0`).join(' ')} PASSWORD EXPIRE DEFAULT`,
};
