import type { z } from 'zod';
import { replicaSchema, sourceStatements, startStatements } from './replication.ts';

/**
 * Statements that tell a server whom it receives from, and change nothing else: it may go on to take writes. They hold
 * the password in clear: for standard input only.
 */
export function pointStatements(attributes: z.input<typeof replicaSchema>): readonly string[] {
  return sourceStatements(replicaSchema.parse(attributes));
}

/**
 * Statements that make a server with the history of a primary its replica, read-only and without a copy of the data.
 * They hold the password in clear: for standard input only.
 */
export function followStatements(attributes: z.input<typeof replicaSchema>): readonly string[] {
  const replica = replicaSchema.parse(attributes);
  return [...sourceStatements(replica), ...startStatements(replica)];
}
