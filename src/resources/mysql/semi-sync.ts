import { z } from 'zod';
import type { Flavor } from './sql.ts';

export const durability = z
  .enum(['fallback', 'strict'])
  .describe(
    'What a commit does that no replica acknowledges: waits 10 s and goes on alone (`fallback`), or waits until one does (`strict`)',
  );
export type Durability = z.output<typeof durability>;

/** How servers call the two sides of semi-synchronous replication. */
export const semiSyncNames: Readonly<Record<Flavor, { readonly source: string; readonly replica: string }>> =
  {
    mysql: { source: 'rpl_semi_sync_source', replica: 'rpl_semi_sync_replica' },
    mariadb: { source: 'rpl_semi_sync_master', replica: 'rpl_semi_sync_slave' },
  };

/** Milliseconds; the most that a server takes is half a billion years. */
export const commitPatience: Readonly<Record<Durability, string>> = {
  fallback: '10000',
  strict: '18446744073709551615',
};

/** A server whose commits wait for its replicas. */
export function waitStatements(server: Flavor, how: Durability): readonly string[] {
  const { source } = semiSyncNames[server];
  return [`SET GLOBAL ${source}_timeout = ${commitPatience[how]}`, `SET GLOBAL ${source}_enabled = ON`];
}

/** A server that acknowledges what it receives, and whose own commits wait for nobody. */
export function acknowledgeStatements(server: Flavor): readonly string[] {
  const { source, replica } = semiSyncNames[server];
  return [`SET GLOBAL ${source}_enabled = OFF`, `SET GLOBAL ${replica}_enabled = ON`];
}
