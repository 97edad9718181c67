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
import { unitOf } from './server.ts';
import { mysqlGlobal, switchSql } from './switch-sql.ts';
import { runStatements, sqlFunction, statements } from './sql.ts';
import type { Variables } from './variables.ts';

type Server = ActionHost<Variables>;

/** Seconds: to connect, for running writes to end, for transactions to arrive, and to apply what was received. */
const patience = { connect: 20, fence: 3, arrive: 10, applied: 300 };

const flavorOf = ({ vars }: Server): Variables['mysql_flavor'] => vars.mysql_flavor;
const sqlOf = (server: Server) => switchSql[flavorOf(server)];

/** What answers proxies looks at its server at once, not only when its time comes. */
const tellProxies: Script = sh`[ ! -p /run/mysql-writer/clock ] || echo 1<>/run/mysql-writer/clock`;

/** Commits wait for a replica as soon as one is connected; as a replica itself this server had nothing to wait for. */
const awaitReplica: Script = sh`systemctl restart --no-block mysql-open.service`;

/** What a server says that takes no writes any more. */
export interface Fenced {
  /** GTIDs. */
  readonly executed: string;
  /** Milliseconds that a commit waits for a replica; null without semi-synchronous replication. */
  readonly semiSync: string | null;
}

const fenced = z.object({ executed: z.string(), semiSync: z.string().nullable() });

async function say(server: Server, ...words: readonly string[]): Promise<string> {
  return await server.run(runStatements(flavorOf(server)), { stdin: statements(...words) });
}

/**
 * Whether a server applies within so many seconds what another one has at this moment. What a server says of its lag is
 * about what it has received.
 */
export async function keepsUp(server: Server, source: Server, seconds: number): Promise<boolean> {
  const executed = (await say(source, `SELECT ${sqlOf(source).executed}`)).trim();
  return (await say(server, `SELECT ${sqlOf(server).waitFor(executed, seconds)}`)).trim() === '0';
}

/**
 * Has a server of MySQL that takes writes receive from its replica: once that takes them, its commits find who
 * acknowledges them. It receives nothing until then, because all comes from this server.
 */
export async function receiveFrom(server: Server, replica: SiteHost): Promise<void> {
  const ofConnection = (what: string): string =>
    `SELECT ${what} FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = ''`;
  const receives = statements(ofConnection("SERVICE_STATE = 'ON'"));
  const error = statements(ofConnection('LAST_ERROR_MESSAGE'));
  const script = sh`hw_sql
n=0
until [ "$(printf '%s' ${receives} | hw_sql --skip-column-names)" = 1 ]; do
  n=$((n + 1))
  [ "$n" -lt ${patience.connect * 5} ] || {
    echo ${`it cannot receive from ${replica.name}:`} "$(printf '%s' ${error} | hw_sql --skip-column-names)" >&2
    exit 1
  }
  sleep 0.2
done`;
  const source = pointStatements({ primary: replica.name, ...following(server.vars, replica) });
  await server.run(lines([sqlFunction('mysql'), script]), {
    stdin: statements(...source, 'START REPLICA'),
    timeout: 2 * patience.connect + 30,
  });
}

/** Has it receive from nobody again. */
export async function forgetSource(server: Server): Promise<void> {
  await say(server, sqlOf(server).stop, sqlOf(server).forget);
}

/**
 * Closes a server for writes; gives what it has. Commits that wait for a replica, and long statements, would keep it
 * waiting: it gives up, and then is as open as it was.
 */
export async function fence(server: Server): Promise<Fenced> {
  const { close, closedState } = sqlOf(server);
  const script = lines([runStatements(flavorOf(server), patience.fence + 5), tellProxies]);
  const output = await server.run(script, {
    stdin: statements(`SET SESSION lock_wait_timeout = ${patience.fence}`, close, closedState),
    timeout: 30,
  });
  return fenced.parse(JSON.parse(output));
}

/** What a server does that begins to take writes. Without a replica that waits, it is asynchronous. */
function openStatements(server: Server, semiSync: string | null): readonly string[] {
  const { stop, waitForReplica, open, forget } = sqlOf(server);
  return [stop, ...(semiSync === null ? [] : waitForReplica(semiSync)), ...open, forget];
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
  const arrived = `${sqlOf(server).waitFor(executed, patience.arrive)} = 0`;
  await server.run(lines([sqlFunction(flavorOf(server), patience.arrive + 30), script, tellProxies]), {
    stdin: statements(
      `SET @next = IF(${arrived}, 'DO 0', '${late}')`,
      'PREPARE next FROM @next',
      ...openStatements(server, semiSync),
    ),
    timeout: 60,
  });
}

/** Lets a server take writes whose source is gone, once it has applied all that it had received. */
export async function takeOverAlone(server: Server): Promise<void> {
  const { onlyApply, received, waitFor } = sqlOf(server);
  const late = `what was received is not applied within ${patience.applied} s: run the same command again`;
  const script = sh`printf '%s' ${statements(...onlyApply)} | hw_sql
received=$(${received})
question=$(echo ${`SELECT ${waitFor('RECEIVED', patience.applied)};`} | sed "s/RECEIVED/$received/")
[ -z "$received" ] || [ "$(echo "$question" | hw_sql --skip-column-names)" = 0 ] || { echo ${late} >&2; exit 1; }
hw_sql`;
  const work = [sqlFunction(flavorOf(server), patience.applied + 30), script, tellProxies, awaitReplica];
  await server.run(lines(work), {
    stdin: statements(...openStatements(server, null)),
    timeout: patience.applied + 60,
  });
}

/** Lets a server take writes again after it was closed; its replica goes on following. */
export async function openAgain(server: Server, replica: Server): Promise<void> {
  await say(replica, sqlOf(replica).start);
  await say(server, ...sqlOf(server).open);
}

/** A server that was closed no longer waits for anybody; what it has received it goes on to apply. */
export async function waitForNobody(server: Server): Promise<void> {
  if (flavorOf(server) === 'mysql') {
    const isSource = await say(server, `SELECT ${mysqlGlobal('rpl_semi_sync_source_enabled')}`);
    if (isSource.trim() !== 'ON') return;
  }
  await say(server, sqlOf(server).waitForNobody);
}

/** Makes a closed server follow another one. */
export async function follow(server: Server, primary: SiteHost): Promise<void> {
  await waitForNobody(server);
  await say(
    server,
    ...sqlOf(server).beforeFollowing,
    ...followStatements({ primary: primary.name, ...following(server.vars, primary) }),
    ...(flavorOf(server) === 'mysql' ? ['SET GLOBAL offline_mode = OFF'] : []),
  );
}

/** Ends a server that does not answer, so that it does not take writes when it wakes up. */
export async function endServer(server: Server): Promise<void> {
  const unit = unitOf(flavorOf(server));
  // The job of the stop keeps systemd from starting it again.
  await server.run(sh`systemctl stop --no-block ${unit}
systemctl kill --signal=KILL ${unit} 2>/dev/null || :
timeout 60 systemctl stop ${unit}`);
}

/** Whether a server knows the account by which `from` would follow it. */
export async function letsIn(server: Server, from: SiteHost): Promise<boolean> {
  const question = `SELECT COUNT(*) FROM mysql.user WHERE User = 'replication' AND Host IN ('${from.address}', '%')`;
  return (await say(server, question)).trim() !== '0';
}
