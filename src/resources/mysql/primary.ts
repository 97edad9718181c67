import { z } from 'zod';
import { lines } from '../../transport/shell.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import type { Change } from '../state.ts';
import { each } from '../step.ts';
import { marksIn, markStatements } from './history.ts';
import { probeServer } from './question.ts';
import { endSeeding, parseSeeding, readSeeding } from './seeding-mark.ts';
import { flavor, runSql, sqlBytes, type Flavor } from './sql.ts';

const schema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'expected the name of a host'),
  flavor,
});

type Primary = z.output<typeof schema>;

const executed: Readonly<Record<Flavor, string>> = {
  mysql: "REPLACE(@@global.gtid_executed, CHAR(10), '')",
  mariadb: "CONCAT(@@global.gtid_binlog_state, ',', @@global.gtid_slave_pos)",
};

function statements({ desired, attributes }: Change<Primary>): readonly string[] {
  const differs = (name: string): boolean => attributes.some((attribute) => attribute.name === name);
  return [
    ...(differs('readOnly') ? ['SET GLOBAL read_only = OFF'] : []),
    ...(differs('history') ? markStatements(desired.flavor) : []),
  ];
}

export const mysqlPrimaryType = defineResource({
  name: 'mysql_primary',
  summary:
    'A server that accepts writes. A mark in its history lets replicas detect that the history was replaced',
  schema,
  key: (primary) => primary.name,
  want: () => ({ readOnly: false, history: 'marked', seeding: 'none' }),
  probe: (batch) => {
    const server = batch[0]?.flavor ?? 'mysql';
    const question = {
      rows: `SELECT IF(@@global.read_only, 1, 0);\nSELECT ${executed[server]};`,
      more: readSeeding,
    };
    return probeServer(server, batch, question, (rows) => {
      const [readOnly, history = ''] = rows;
      return batch.map((primary) => ({
        readOnly: readOnly !== '0',
        history: marksIn(primary.flavor, history) === '' ? 'not marked' : 'marked',
        seeding: parseSeeding(rows) === undefined ? 'none' : 'left over from when it was a replica',
      }));
    });
  },
  apply: each((change) => ({
    resources: [change.id],
    title: 'let the primary accept writes',
    script: lines([runSql(change.desired.flavor), endSeeding]),
    stdin: sqlBytes(statements(change)),
  })),
  order: { provides: () => false },
});

/** The server of this host, which others follow: `mysqlPrimary('web2', { flavor: 'mysql' })`. */
export function mysqlPrimary(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(mysqlPrimaryType, { name, ...attributes }, options);
}
