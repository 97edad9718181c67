import {
  followStatements,
  lines,
  pointStatements,
  sh,
  z,
  type ActionHost,
  type Script,
  type SiteHost,
} from 'hostwright';
import { following } from './primary-replica.ts';
import { runStatements, sqlFunction, statements } from './sql.ts';
import type { Variables } from './variables.ts';

type Server = ActionHost<Variables>;

/** Seconds: for running writes to end, for transactions to arrive, and to apply what was received. */
const patience = { connect: 20, fence: 3, arrive: 10, applied: 300 };

/** What answers proxies looks at its server at once, not only when its time comes; a pipe that nobody reads takes it too. */
const tellProxies: Script = sh`[ ! -p /run/mysql-writer/clock ] || echo 1<>/run/mysql-writer/clock`;

/** What a server says that takes no writes any more. */
export interface Fenced {
  /** GTIDs. */
  readonly executed: string;
  /** Milliseconds that a commit waits for a replica; null without semi-synchronous replication. */
  readonly semiSync: string | null;
}

const fenced = z.object({ executed: z.string(), semiSync: z.string().nullable() });

/** In performance_schema, because the variables themselves are there only with the plugin. */
const global = (name: string): string =>
  `(SELECT VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME = '${name}')`;

/**
 * Whether a server applies within so many seconds what another one has at this moment. What a server says of its lag is
 * about what it has received.
 */
export async function keepsUp(server: Server, source: Server, seconds: number): Promise<boolean> {
  const ask = async (of: Server, question: string): Promise<string> =>
    (await of.run(runStatements('mysql'), { stdin: statements(`SELECT ${question}`) })).trim();
  const executed = await ask(source, "REPLACE(@@global.gtid_executed, CHAR(10), '')");
  return (await ask(server, `WAIT_FOR_EXECUTED_GTID_SET('${executed}', ${seconds})`)) === '0';
}

/**
 * Has a server that takes writes receive from its replica: once that takes them, its commits find who acknowledges
 * them. It receives nothing until then, because all comes from this server.
 */
export async function receiveFrom(server: Server, replica: SiteHost): Promise<void> {
  const receives = `SELECT COUNT(*) FROM performance_schema.replication_connection_status
    WHERE CHANNEL_NAME = '' AND SERVICE_STATE = 'ON'`;
  const error = `SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_connection_status
    WHERE CHANNEL_NAME = ''`;
  const script = sh`hw_sql
n=0
until [ "$(printf '%s' ${statements(receives)} | hw_sql --skip-column-names)" = 1 ]; do
  n=$((n + 1))
  [ "$n" -lt ${patience.connect * 5} ] || {
    echo ${`it cannot receive from ${replica.name}:`} "$(printf '%s' ${statements(error)} | hw_sql --skip-column-names)" >&2
    exit 1
  }
  sleep 0.2
done`;
  await server.run(lines([sqlFunction('mysql'), script]), {
    stdin: statements(
      ...pointStatements({ primary: replica.name, ...following(server.vars, replica) }),
      'START REPLICA',
    ),
    timeout: 2 * patience.connect + 30,
  });
}

/** Has it receive from nobody again. */
export async function forgetSource(server: Server): Promise<void> {
  await server.run(runStatements('mysql'), { stdin: statements('STOP REPLICA', 'RESET REPLICA ALL') });
}

/** A server that was closed no longer waits for anybody; what it has received it goes on to apply. */
export async function waitForNobody(server: Server): Promise<void> {
  const isSource = statements(`SELECT ${global('rpl_semi_sync_source_enabled')}`);
  const answer = await server.run(runStatements('mysql'), { stdin: isSource });
  if (answer.trim() !== 'ON') return;
  await server.run(runStatements('mysql'), {
    stdin: statements('SET GLOBAL rpl_semi_sync_source_enabled = OFF'),
  });
}

/**
 * Closes a server for writes; gives what it has. Commits that wait for a replica, and long statements, would keep it
 * waiting: it gives up, and then is as open as it was.
 */
export async function fence(server: Server): Promise<Fenced> {
  const script = lines([runStatements('mysql', patience.fence + 5), tellProxies]);
  const output = await server.run(script, {
    stdin: statements(
      `SET SESSION lock_wait_timeout = ${patience.fence}`,
      'SET GLOBAL super_read_only = ON',
      `SELECT JSON_OBJECT('executed', REPLACE(@@global.gtid_executed, CHAR(10), ''), 'semiSync',
        IF(${global('rpl_semi_sync_source_enabled')} = 'ON', ${global('rpl_semi_sync_source_timeout')}, NULL))`,
    ),
    timeout: 30,
  });
  return fenced.parse(JSON.parse(output));
}

/** What a server does that begins to take writes. Without a replica that waits, it is asynchronous. */
function openStatements(semiSync: string | null): readonly string[] {
  return [
    'STOP REPLICA',
    ...(semiSync === null
      ? []
      : [
          `SET GLOBAL rpl_semi_sync_source_timeout = ${semiSync}`,
          'SET GLOBAL rpl_semi_sync_source_enabled = ON',
        ]),
    'SET GLOBAL offline_mode = OFF',
    'SET GLOBAL super_read_only = OFF',
    'SET GLOBAL read_only = OFF',
    'RESET REPLICA ALL',
  ];
}

/**
 * Lets a server take writes, once it has all that `from` has: one request, which ends without the controller too, and
 * one session, because nobody can write meanwhile. What does not arrive is a statement that cannot be prepared.
 */
export async function takeOver(server: Server, { executed, semiSync }: Fenced): Promise<void> {
  const late = `transactions do not arrive within ${patience.arrive} s`;
  const script = sh`hw_sql 2>"$HW/words" || {
  if grep -qF ${late} "$HW/words"; then echo ${late} >&2; else cat "$HW/words" >&2; fi
  exit 1
}`;
  await server.run(lines([sqlFunction('mysql', patience.arrive + 30), script, tellProxies]), {
    stdin: statements(
      `SET @next = IF(WAIT_FOR_EXECUTED_GTID_SET('${executed}', ${patience.arrive}) = 0, 'DO 0', '${late}')`,
      'PREPARE next FROM @next',
      ...openStatements(semiSync),
    ),
    timeout: 60,
  });
}

/** Lets a server take writes whose source is gone, once it has applied all that it had received. */
export async function takeOverAlone(server: Server, semiSync: string | null): Promise<void> {
  const received = statements(
    'STOP REPLICA IO_THREAD',
    'START REPLICA SQL_THREAD',
    `SELECT WAIT_FOR_EXECUTED_GTID_SET((SELECT RECEIVED_TRANSACTION_SET
      FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = ''), ${patience.applied})`,
  );
  const script = sh`[ "$(printf '%s' ${received} | hw_sql --skip-column-names)" = 0 ] || {
  echo ${`what was received is not applied within ${patience.applied} s: run the same command again`} >&2; exit 1; }
hw_sql`;
  await server.run(lines([sqlFunction('mysql', patience.applied + 30), script, tellProxies]), {
    stdin: statements(...openStatements(semiSync)),
    timeout: patience.applied + 60,
  });
}

/** Lets a server take writes again after it was closed; its replica goes on following. */
export async function openAgain(server: Server, replica: Server): Promise<void> {
  await replica.run(runStatements('mysql'), { stdin: statements('START REPLICA') });
  const open = [
    'SET GLOBAL offline_mode = OFF',
    'SET GLOBAL super_read_only = OFF',
    'SET GLOBAL read_only = OFF',
  ];
  await server.run(runStatements('mysql'), { stdin: statements(...open) });
}

/** Makes a closed server follow another one. */
export async function follow(server: Server, primary: SiteHost): Promise<void> {
  await waitForNobody(server);
  await server.run(runStatements('mysql'), {
    stdin: statements(
      ...followStatements({ primary: primary.name, ...following(server.vars, primary) }),
      'SET GLOBAL offline_mode = OFF',
    ),
  });
}

/** Ends a server that does not answer, so that it does not take writes when it wakes up. */
export async function endServer(server: Server): Promise<void> {
  const unit = 'mysql.service';
  // The job of the stop keeps systemd from starting it again.
  await server.run(sh`systemctl stop --no-block ${unit}
systemctl kill --signal=KILL ${unit} 2>/dev/null || :
timeout 60 systemctl stop ${unit}`);
}

/** Whether a server knows the account by which `from` would follow it. */
export async function letsIn(server: Server, from: SiteHost): Promise<boolean> {
  const question = `SELECT COUNT(*) FROM mysql.user WHERE User = 'replication' AND Host IN ('${from.address}', '%')`;
  return (await server.run(runStatements('mysql'), { stdin: statements(question) })).trim() !== '0';
}
