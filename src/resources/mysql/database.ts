import { z } from 'zod';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import type { Change } from '../state.ts';
import { each } from '../step.ts';
import { probeServer } from './question.ts';
import { flavor, objectName, runSql, sqlBytes, sqlName, sqlText } from './sql.ts';

const word = z.string().regex(/^\w+$/, 'expected one word');

const schema = z.strictObject({
  name: objectName,
  flavor,
  charset: word
    .optional()
    .describe('Such as `utf8mb4`. Default: unchanged; a new database gets the default of the server'),
  collation: word
    .optional()
    .describe('Such as `utf8mb4_bin`. Default: unchanged; a new database gets the default of `charset`'),
  absent: z.boolean().default(false).describe('Drops the database with all its data'),
});

type Database = z.output<typeof schema>;

const row = z.strictObject({ name: z.string(), charset: z.string(), collation: z.string() });

function want(database: Database) {
  if (database.absent) return null;
  const { charset, collation } = database;
  return {
    exists: true,
    ...(charset === undefined ? {} : { charset }),
    ...(collation === undefined ? {} : { collation }),
  };
}

function statements({ desired }: Change<Database>): readonly string[] {
  const name = sqlName(desired.name);
  if (desired.absent) return [`DROP DATABASE IF EXISTS ${name}`];
  const charset = desired.charset === undefined ? '' : ` CHARACTER SET ${desired.charset}`;
  const collation = desired.collation === undefined ? '' : ` COLLATE ${desired.collation}`;
  const options = `${charset}${collation}`;
  const create = `CREATE DATABASE IF NOT EXISTS ${name}${options}`;
  return options === '' ? [create] : [create, `ALTER DATABASE ${name}${options}`];
}

export const mysqlDatabaseType = defineResource({
  name: 'mysql_database',
  summary: 'A database of MySQL or MariaDB with its default character set; existing tables keep theirs',
  schema,
  key: (database) => database.name,
  want,
  probe: (batch) => {
    const question = {
      rows: `SELECT JSON_OBJECT('name', SCHEMA_NAME, 'charset', DEFAULT_CHARACTER_SET_NAME, 'collation', DEFAULT_COLLATION_NAME)
FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (${batch.map(({ name }) => sqlText(name)).join(', ')});`,
    };
    return probeServer(batch[0]?.flavor ?? 'mysql', batch, question, (rows) => {
      const found = new Map(rows.map((text) => row.parse(JSON.parse(text))).map((one) => [one.name, one]));
      return batch.map(({ name }) => {
        const database = found.get(name);
        if (database === undefined) return null;
        return { exists: true, charset: database.charset, collation: database.collation };
      });
    });
  },
  apply: each((change) => ({
    resources: [change.id],
    title: `${change.desired.absent ? 'drop' : 'make'} database ${change.desired.name}`,
    script: runSql(change.desired.flavor),
    stdin: sqlBytes(statements(change)),
  })),
  order: { provides: () => false },
});

/** A database: `mysqlDatabase('shop', { flavor: 'mysql', charset: 'utf8mb4' })`. */
export function mysqlDatabase(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(mysqlDatabaseType, { name, ...attributes }, options);
}
