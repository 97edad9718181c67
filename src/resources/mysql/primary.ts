import { z } from 'zod';
import { HostwrightError } from '../../errors.ts';
import { lines, sh, type Script } from '../../transport/shell.ts';
import type { Planned } from '../capabilities/order.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { Unreadable, type Change } from '../state.ts';
import type { Ask } from '../step.ts';
import { gtidsMinus } from './gtid-set.ts';
import { executedBy, marksIn, markStatements, shareHistory } from './history.ts';
import { askOthers, loginOf, others, parseOthers, parseSource, sourceQuery, type Other } from './others.ts';
import { transactionsIn } from './own-transactions.ts';
import { askAgain, askServer, parseAnswer, probeServer, type Question } from './question.ts';
import { endSeeding, parseSeeding, readSeeding } from './seeding-mark.ts';
import { durability, commitPatience, waitStatements } from './semi-sync.ts';
import { flavor, runSql, sqlBytes, type Flavor } from './sql.ts';

const schema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'expected the name of a host'),
  flavor,
  durability: durability
    .optional()
    .describe(
      'Commits wait for the acknowledgement of a replica (semi-synchronous): `fallback` for 10 s, `strict` for ever. Default: they do not',
    ),
  others: others.optional(),
  opener: z
    .string()
    .regex(/^[\w@.-]+\.service$/, 'expected a service')
    .optional()
    .describe('The unit that makes commits wait as soon as a replica is connected'),
});

type Primary = z.output<typeof schema>;

/** By name, null where the plugin is not there. */
const semiSync: Readonly<Record<Flavor, string>> = {
  mysql: `'waits', (SELECT VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME = 'rpl_semi_sync_source_enabled'),
  'patience', (SELECT VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME = 'rpl_semi_sync_source_timeout'),
  'replicas', (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_source_clients')`,
  mariadb: `'waits', IF(@@global.rpl_semi_sync_master_enabled, 'ON', 'OFF'), 'patience', CAST(@@global.rpl_semi_sync_master_timeout AS CHAR),
  'replicas', (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'RPL_SEMI_SYNC_MASTER_CLIENTS')`,
};

const row = z.object({
  readOnly: z.number(),
  executed: z.string(),
  waits: z.string().nullable(),
  patience: z.string().nullable(),
  replicas: z.coerce.number().nullable(),
});

/** A replica connects again within seconds of a start, and mysql-open sees it within one more. */
function whileStarting(rows: string): Script {
  return sh`n=0
while grep -q '"readOnly": 0' "$HW/part" && grep -q '"waits": "OFF"' "$HW/part" &&
  grep -q '"replicas": "[1-9]' "$HW/part" && [ "$n" -lt 10 ]; do
  sleep 0.5
  ${askAgain(rows)}
  cat "$HW/part"
  sed -i 1d "$HW/part"
  n=$((n + 1))
done`;
}

/** The others are asked only where this server does not take writes, or follows one of them. */
function questionOf(primary: Primary): Question {
  const rows = `SELECT JSON_OBJECT('readOnly', IF(@@global.read_only, 1, 0), 'executed', ${executedBy[primary.flavor]}, ${semiSync[primary.flavor]});
${sourceQuery[primary.flavor]}`;
  if (primary.others === undefined) return { rows, more: readSeeding };
  const more = lines([
    sh`cat >"$HW/others.cnf"
hw_part`,
    ...(primary.durability === undefined ? [] : [whileStarting(rows)]),
    readSeeding,
    sh`if grep -q '"readOnly": 1' "$HW/part" || [ "$(wc -l <"$HW/part")" -gt 1 ]; then
  ${askOthers(primary.flavor, primary.others)}
fi`,
  ]);
  return { rows, more, stdin: loginOf(primary.flavor, primary.others) };
}

interface Found {
  readonly readOnly: boolean;
  readonly executed: string;
  readonly isMarked: boolean;
  readonly isSeeding: boolean;
  /** `ADDRESS:PORT` of the server that it follows. */
  readonly source: string | undefined;
  readonly semiSync: string;
  /** Replicas that are connected and acknowledge. */
  readonly replicas: number;
  readonly others: readonly Other[];
}

/** `on` also where no replica is connected: nothing could be waited for, and mysql-open switches it on when one is. */
function semiSyncState(
  { durability: how }: Primary,
  { waits, patience, replicas }: z.output<typeof row>,
): string {
  if (how === undefined) return 'on';
  if (waits !== 'ON') return waits !== null && (replicas ?? 0) === 0 ? 'on' : 'off';
  return patience === commitPatience[how] ? 'on' : `gives up after ${patience ?? '?'} ms`;
}

function parse(primary: Primary, rows: readonly string[]): Found {
  const [text = '', second] = rows;
  const found = row.parse(JSON.parse(text));
  return {
    readOnly: found.readOnly === 1,
    executed: found.executed,
    isMarked: marksIn(primary.flavor, found.executed) !== '',
    isSeeding: parseSeeding(rows) !== undefined,
    source: second?.startsWith('other ') === true ? undefined : parseSource(second),
    semiSync: semiSyncState(primary, found),
    replicas: found.replicas ?? 0,
    others: primary.others === undefined ? [] : parseOthers(primary.others, rows),
  };
}

/** Another server of the same history that does not follow this one and holds transactions that this one lacks. */
function aheadOf({ flavor: server, others: own }: Primary, { executed, others: found }: Found) {
  return found
    .filter((other) => other.follows !== own?.self && shareHistory(server, executed, other.executed))
    .map(({ name, executed: theirs }) => ({ name, gtids: gtidsMinus(server, theirs, executed) }))
    .find(({ gtids }) => gtids !== '');
}

/** How the hosts contradict the inventory, which says that this one takes writes; undefined where they do not. */
function contradictionOf(primary: Primary, state: Found): string | undefined {
  const { name } = primary;
  const { readOnly, source, others: found } = state;
  const writers = found.filter(({ takesWrites }) => takesWrites === true);
  const followed = found.find(({ server }) => server === source);
  const follows = `${name} follows ${followed === undefined ? source : `${followed.name} (${source})`}`;
  const others = writers.map((one) => one.name).join(', ');
  const take = writers.length === 1 ? 'takes' : 'take';
  if (readOnly && source !== undefined) {
    return writers.length === 0 ? follows : `${follows}, and ${others} ${take} writes`;
  }
  const ahead = readOnly && writers.length === 0 ? aheadOf(primary, state) : undefined;
  if (ahead !== undefined) {
    const count = primary.flavor === 'mysql' ? `${transactionsIn(ahead.gtids)} transactions` : 'transactions';
    return `${ahead.name} does not follow ${name} and holds ${count} that ${name} lacks: ${ahead.gtids}`;
  }
  if (writers.length === 0) return undefined;
  return readOnly ? `${others} ${take} writes, ${name} does not` : `both ${name} and ${others} take writes`;
}

function adviceFor(primary: Primary, state: Found): string {
  const { name } = primary;
  const { source, others: found } = state;
  const ahead = aheadOf(primary, state);
  if (source === undefined && ahead !== undefined && found.every(({ takesWrites }) => takesWrites !== true)) {
    return (
      `the inventory says that ${name} takes writes. If ${ahead.name} is to take them, set mysql_primary: ${ahead.name} ` +
      `in the inventory; to give up what only ${ahead.name} holds, stop its server, then run hostwright apply`
    );
  }
  const writer =
    found.find(({ takesWrites }) => takesWrites === true) ?? found.find(({ server }) => server === source);
  return (
    `the inventory says that ${name} takes writes. If ${writer?.name ?? 'another server'} is to take them, ` +
    `set mysql_primary: ${writer?.name ?? 'NAME'} in the inventory; to move them to ${name}, run ` +
    `hostwright do mysql promote ${name}`
  );
}

function stateOf(primary: Primary, found: Found) {
  const contradiction = contradictionOf(primary, found);
  const silent = found.others.filter(({ silence }) => silence !== undefined);
  const unknown = silent.map(({ name, silence }) => `${name} does not answer ${primary.name}: ${silence}`);
  return {
    // Of a server that stays as it is only what keeps it from that.
    readOnly: contradiction === undefined && found.readOnly,
    contradiction: contradiction ?? 'none',
    source: contradiction === undefined ? (found.source ?? 'none') : 'none',
    semiSync: found.semiSync,
    history: found.isMarked ? 'marked' : 'not marked',
    seeding: found.isSeeding ? 'left over from when it was a replica' : 'none',
    advice: contradiction === undefined ? unknown.join('; ') : adviceFor(primary, found),
  };
}

type State = ReturnType<typeof stateOf>;

async function ask(on: Ask, primary: Primary): Promise<Found> {
  const { script, stdin } = askServer(primary.flavor, [questionOf(primary)]);
  const rows = parseAnswer(await on(script, stdin));
  if (rows instanceof Unreadable) {
    throw new HostwrightError('E_REMOTE', `the server does not answer: ${rows.reason}`);
  }
  return parse(primary, rows);
}

/** Commits wait before the first client gets in. Where nobody follows yet they would wait for nothing. */
function openStatements(primary: Primary, found: Found): readonly string[] {
  const isFollowed =
    found.replicas > 0 || found.others.some(({ follows }) => follows === primary.others?.self);
  const isMysql = primary.flavor === 'mysql';
  return [
    ...(found.source === undefined
      ? []
      : isMysql
        ? ['STOP REPLICA', 'RESET REPLICA ALL']
        : ['STOP SLAVE', 'RESET SLAVE ALL']),
    ...(primary.durability !== undefined && isFollowed
      ? waitStatements(primary.flavor, primary.durability)
      : []),
    ...(found.readOnly
      ? [...(isMysql ? ['SET GLOBAL super_read_only = OFF'] : []), 'SET GLOBAL read_only = OFF']
      : []),
    ...(found.isMarked ? [] : markStatements(primary.flavor)),
  ];
}

/**
 * Looks again before it opens: what the plan saw may have changed. A server that took writes when the plan was made
 * and whose leftover source the plan showed may have been restarted since; that alone is no contradiction.
 */
async function open(on: Ask, { desired: primary, actual }: Change<Primary, State>): Promise<void> {
  const found = await ask(on, primary);
  const isLeftOver = actual !== null && actual.source !== 'none' && actual.source === found.source;
  const contradiction = contradictionOf(primary, isLeftOver ? { ...found, source: undefined } : found);
  if (contradiction !== undefined) {
    throw new HostwrightError(
      'E_REMOTE',
      `${contradiction}, so no changes were made\n${adviceFor(primary, found)}`,
    );
  }
  const watch =
    primary.opener === undefined ? [] : [sh`systemctl --no-block try-restart ${primary.opener} || :`];
  await on(lines([runSql(primary.flavor), endSeeding, ...watch]), sqlBytes(openStatements(primary, found)));
}

/** What a restart costs, and how it costs less: a busy server of MySQL takes seconds to shut down. */
function ofRestart({ name, others: own }: Primary, { readOnly, advice }: State): string {
  const [other] = own?.servers ?? [];
  if (readOnly || other === undefined) return advice;
  const words =
    `${name} accepts writes and restarts: nobody can write until it is back, ` +
    `seconds or longer where it is busy; to avoid that, run hostwright do mysql promote ${other.name} first`;
  return [advice, words].filter((text) => text !== '').join('; ');
}

/** A server that starts takes no writes: its option file says so. */
function foresee(primary: Primary, actual: State | null, planned: Planned): State | null {
  const { flavor: server } = primary;
  const service = planned(`service:${server}.service`);
  const starts =
    planned(`mysql_settings:${server}`)?.action === 'restart' ||
    service?.action === 'restart' ||
    service?.attributes.some(({ name }) => name === 'running' || name === 'restart') === true;
  return starts && actual !== null
    ? { ...actual, readOnly: true, advice: ofRestart(primary, actual) }
    : actual;
}

export const mysqlPrimaryType = defineResource({
  name: 'mysql_primary',
  summary:
    'A server that accepts writes, unless another one does, or this one follows another. A mark in its history lets replicas detect that the history was replaced',
  schema,
  key: (primary) => primary.name,
  want: (primary) => ({
    readOnly: false,
    contradiction: 'none',
    source: 'none',
    semiSync: primary.durability === undefined ? undefined : 'on',
    history: 'marked',
    seeding: 'none',
  }),
  probe: ([primary]) => {
    if (primary === undefined) throw new RangeError('there is no primary to read');
    return probeServer(primary.flavor, [primary], questionOf(primary), (rows) => [
      stateOf(primary, parse(primary, rows)),
    ]);
  },
  apply: (changes) =>
    changes.map((change) => ({
      resources: [change.id],
      title: 'let the primary accept writes',
      converse: (on) => open(on, change),
    })),
  comparison: {
    computed: ['advice'],
    remarks: ({ advice }) => (advice === '' ? [] : [advice]),
  },
  order: {
    after: ({ flavor: server }) => [`mysql_settings:${server}`],
    provides: () => false,
    foresee,
  },
});

/** The server of this host, which others follow: `mysqlPrimary('web2', { flavor: 'mysql' })`. */
export function mysqlPrimary(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(mysqlPrimaryType, { name, ...attributes }, options);
}
