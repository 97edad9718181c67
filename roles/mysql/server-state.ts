import { HostwrightError, lines, sh, z, type ActionHost, type Script } from 'hostwright';
import { sqlFunction, statements } from './sql.ts';
import type { Variables } from './variables.ts';

/** Where a server replicates from, and how that goes. */
export interface Following {
  /** An address. */
  readonly source: string;
  readonly receives: 'on' | 'off' | 'connecting';
  readonly applies: 'on' | 'off';
  /** Seconds; null where that is unknown. */
  readonly lag: number | null;
  /** Why transactions are not received or not applied. */
  readonly errors: readonly string[];
}

/** A server that answers. */
export interface ServerState {
  readonly kind: 'up';
  readonly readOnly: boolean;
  /** It refuses all clients but root. */
  readonly isOffline: boolean;
  /** GTIDs, in the form of the flavor. */
  readonly executed: string;
  readonly following: Following | undefined;
  /** `off`: loaded and not in use; undefined where it is not loaded. */
  readonly semiSync: 'on' | 'off' | undefined;
  /** Replicas that take part in it. */
  readonly semiSyncClients: number;
}

/** A server that does not answer, or a host. */
export interface SilentServer {
  readonly kind: 'down' | 'unreachable';
  readonly reason: string;
}

const semiSync = (table: string): string => `(SELECT JSON_OBJECTAGG(LOWER(VARIABLE_NAME), VARIABLE_VALUE)
  FROM ${table} WHERE VARIABLE_NAME LIKE 'Rpl\\_semi\\_sync\\_%')`;

/**
 * The age of what MySQL has heard last of its source, beyond the second or so between two signs of it: that there is
 * nothing more, or when it committed the transaction that was received last.
 */
const heard = `(SELECT MAX(TIMESTAMPDIFF(SECOND, IF(LAST_HEARTBEAT_TIMESTAMP > LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP,
    LAST_HEARTBEAT_TIMESTAMP, LAST_QUEUED_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP), NOW(6)) - CEIL(HEARTBEAT_INTERVAL))
  FROM performance_schema.replication_connection_status JOIN performance_schema.replication_connection_configuration
  USING (CHANNEL_NAME) WHERE CHANNEL_NAME = '')`;

const question = {
  mysql: `SELECT JSON_OBJECT('readOnly', @@global.read_only, 'offline', @@global.offline_mode,
  'executed', REPLACE(@@global.gtid_executed, CHAR(10), ''), 'heard', ${heard},
  'semiSync', ${semiSync('performance_schema.global_status')})`,
  mariadb: `SELECT JSON_OBJECT('readOnly', IF(@@global.read_only, 1, 0), 'offline', 0,
  'executed', CONCAT(@@global.gtid_binlog_state, ',', @@global.gtid_slave_pos),
  'semiSync', ${semiSync('information_schema.GLOBAL_STATUS')})`,
} as const;

function script(flavor: Variables['mysql_flavor']): Script {
  return lines([
    sqlFunction(flavor),
    sh`if printf '%s' ${statements(question[flavor])} | hw_sql --skip-column-names >"$HW/row" 2>"$HW/words"; then
  sed 's/^/row /' "$HW/row"
  printf '%s' ${statements('SHOW REPLICA STATUS')} | hw_sql --vertical | sed 's/^ */status /'
else
  printf 'down %s\n' "$(head -n 1 "$HW/words")"
fi`,
  ]);
}

const row = z.object({
  readOnly: z.number(),
  offline: z.number(),
  executed: z.string(),
  heard: z.number().nullish(),
  semiSync: z.record(z.string(), z.string()).nullable(),
});

/** The lines behind a word. */
function after(output: string, word: string): readonly string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => line.slice(word.length + 1));
}

/** Both flavors, and both generations of words: `Source_Host` and `Master_Host`. */
function followingOf(output: string, heard: number): Following | undefined {
  const status = new Map(
    after(output, 'status').map((line) => {
      const [, name = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      return [name.replace('Master', 'Source').replace('Slave', 'Replica'), value];
    }),
  );
  const source = status.get('Source_Host') ?? '';
  if (source === '') return undefined;
  const receiving = status.get('Replica_IO_Running');
  const lag = status.get('Seconds_Behind_Source') ?? 'NULL';
  const error = (part: string, words: string): readonly string[] => {
    const text = status.get(`Last_${part}_Error`) ?? '';
    return text === '' ? [] : [`${words}: ${text}`];
  };
  return {
    source,
    receives: receiving === 'Yes' ? 'on' : receiving === 'Connecting' ? 'connecting' : 'off',
    applies: status.get('Replica_SQL_Running') === 'Yes' ? 'on' : 'off',
    // What the server calls its lag is about what it has received.
    lag: lag === 'NULL' ? null : Math.max(Number(lag), heard),
    errors: [...error('IO', 'cannot receive'), ...error('SQL', 'cannot apply')],
  };
}

/** What a server says of itself. RangeError, or an error of zod, for an answer of another form. */
export function parseServerState(output: string): ServerState | SilentServer {
  const [reason] = after(output, 'down');
  if (reason !== undefined) return { kind: 'down', reason: reason || 'no answer' };
  const { readOnly, offline, executed, heard, semiSync } = row.parse(
    JSON.parse(after(output, 'row')[0] ?? ''),
  );
  const following = followingOf(output, heard ?? 0);
  const about = (name: string): string | undefined => {
    const [mysql, mariadb] = following === undefined ? ['source', 'master'] : ['replica', 'slave'];
    return semiSync?.[`rpl_semi_sync_${mysql}_${name}`] ?? semiSync?.[`rpl_semi_sync_${mariadb}_${name}`];
  };
  const state = about('status');
  return {
    kind: 'up',
    readOnly: readOnly === 1,
    isOffline: offline === 1,
    executed,
    following,
    semiSync: state === undefined ? undefined : state === 'ON' ? 'on' : 'off',
    semiSyncClients: Number(about('clients') ?? 0),
  };
}

/** Codes of errors that say that a host does not answer. */
const unreachable: readonly string[] = ['E_CONNECT', 'E_TIMEOUT', 'E_AUTH', 'E_HOST_KEY', 'E_SUDO'];

/** The host itself does not answer. */
export function isUnreachable(error: unknown): error is HostwrightError {
  return error instanceof HostwrightError && unreachable.includes(error.code);
}

/** Asks the server of a host; one that does not answer is an answer too. */
export async function serverState(host: ActionHost<Variables>): Promise<ServerState | SilentServer> {
  try {
    return parseServerState(await host.run(script(host.vars.mysql_flavor), { timeout: 60 }));
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { kind: 'unreachable', reason: error.message };
  }
}
