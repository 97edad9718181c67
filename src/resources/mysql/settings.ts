import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { argv } from '../attribute.ts';
import type { Planned } from '../capabilities/order.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import type { AttributeChange, Change, State } from '../state.ts';
import { each } from '../step.ts';
import { probeServer, type Question } from './question.ts';
import { isSameValue, settable } from './setting-value.ts';
import { countsAnyway, needsStart, settingsOfServer } from './settings-of-server.ts';
import { flavor, plainText, runSql, sqlBytes, sqlName, sqlText, type Flavor } from './sql.ts';

const schema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'expected a name'),
  flavor,
  unit: z
    .string()
    .regex(/^[\w@.-]+\.service$/, 'expected the unit of the server')
    .describe('The unit of the server, for settings that only a start changes'),
  restart: argv.optional().describe('How the server is started anew; default `systemctl restart`'),
  settings: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'expected the name of a variable of the server'), plainText)
    .describe('What the option files set, as they write it. Options that are no variables are left out'),
});

type Settings = z.output<typeof schema>;

const row = z.object({
  name: z.string(),
  value: z.string().nullable(),
  /** From where it was set; of a variable that is kept for the next start, `kept`. */
  source: z.string(),
  /** The server's own value, where it says it. */
  standard: z.string().nullable().optional(),
});

type Row = z.output<typeof row>;

/** What the server really uses, beside its variables: they can be set without effect, or mean files of before. */
const inUse: Readonly<Record<string, string>> = {
  current_tls_ca: 'ssl_ca',
  current_tls_cert: 'ssl_cert',
  current_tls_key: 'ssl_key',
  current_tls_version: 'tls_version',
};
const redoLog = 'innodb_redo_log_enabled';

/** Of replication, and of what other types declare: who may write and whose commits wait is decided at run time. */
const others = ['read_only', 'super_read_only', 'timestamp'];

const isOther = (name: string): boolean =>
  others.includes(name) ||
  /^gtid_.*(pos|state|seq_no|next)$|^replicate_|^rpl_semi_sync_(source|master)_(enabled|timeout)$/.test(name);

function questionOf(server: Flavor, desired: readonly Settings[]): Question {
  const declared = desired.flatMap(({ settings }) => Object.keys(settings));
  const names = [
    ...new Set([
      ...declared,
      ...[...settingsOfServer(server).keys()].filter((name) => countsAnyway(server, name)),
    ]),
  ];
  const among = names.map((name) => sqlText(name)).join(', ');
  if (server === 'mariadb') {
    return {
      rows: `SELECT JSON_OBJECT('name', LOWER(VARIABLE_NAME), 'value', GLOBAL_VALUE, 'source', GLOBAL_VALUE_ORIGIN, 'standard', DEFAULT_VALUE)
FROM information_schema.SYSTEM_VARIABLES WHERE GLOBAL_VALUE_ORIGIN IN ('SQL', 'COMMAND-LINE') OR VARIABLE_NAME IN (${among});`,
    };
  }
  const status = [redoLog, ...Object.keys(inUse)].map((name) => sqlText(name)).join(', ');
  return {
    rows: `SELECT JSON_OBJECT('name', VARIABLE_NAME, 'value', VARIABLE_VALUE, 'source', VARIABLE_SOURCE)
FROM performance_schema.variables_info JOIN performance_schema.global_variables USING (VARIABLE_NAME)
WHERE VARIABLE_SOURCE IN ('DYNAMIC', 'PERSISTED', 'COMMAND_LINE') OR VARIABLE_NAME IN (${among});
SELECT JSON_OBJECT('name', VARIABLE_NAME, 'value', VARIABLE_VALUE, 'source', 'kept') FROM performance_schema.persisted_variables;
SELECT JSON_OBJECT('name', LOWER(VARIABLE_NAME), 'value', VARIABLE_VALUE, 'source', 'status') FROM performance_schema.global_status
WHERE VARIABLE_NAME IN (${status});`,
  };
}

/** Set beside the option files: by a statement, also one of before the last start, or on the command line. */
const beside = new Set(['DYNAMIC', 'PERSISTED', 'COMMAND_LINE', 'SQL', 'COMMAND-LINE']);
const inFile = new Set(['GLOBAL', 'SERVER', 'EXPLICIT', 'EXTRA', 'USER', 'LOGIN', 'CONFIG']);

function want({ flavor: server, settings }: Settings): Readonly<Record<string, string>> {
  const declared = Object.entries(settings).filter(([name]) => !isOther(name));
  const used = Object.entries(inUse).flatMap(([name, of]): [string, string][] => {
    const value = settings[of];
    return value === undefined ? [] : [[name, value]];
  });
  const ofMysql: readonly [string, string][] = [...used, [redoLog, 'ON'], ['persisted', 'none']];
  return Object.fromEntries<string>([
    ...settingsOfServer(server),
    ...declared,
    ...(server === 'mysql' ? ofMysql : []),
  ]);
}

function stateOf(desired: Settings, rows: readonly Row[]): State {
  const wanted = want(desired);
  const found = new Map(rows.filter(({ source }) => source !== 'kept').map((one) => [one.name, one]));
  const kept = rows
    .filter(({ source }) => source === 'kept')
    .map(({ name, value }) => `${name} = ${value ?? ''}`);
  const isOf = ({ name, source }: Row): boolean =>
    name in desired.settings ||
    source === 'status' ||
    (countsAnyway(desired.flavor, name) ? !inFile.has(source) : beside.has(source));
  const valueOf = (name: string, value: string): string => {
    const one = found.get(name);
    const current = one === undefined || !isOf(one) ? value : (one.value ?? '');
    return isSameValue(value, current) ? value : current;
  };
  // Nobody declares these, and something beside the option files has set them.
  const surplus = [...found.values()].filter(
    ({ name, value, source, standard }) =>
      !(name in wanted) &&
      !isOther(name) &&
      (source === 'PERSISTED' ||
        (source === 'SQL' && typeof standard === 'string' && !isSameValue(standard, value ?? ''))),
  );
  return {
    ...Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, valueOf(name, value)])),
    ...(desired.flavor === 'mysql' ? { persisted: kept.join('; ') || 'none' } : {}),
    ...Object.fromEntries(surplus.map(({ name, value }) => [name, value ?? ''])),
  };
}

/** MySQL takes no other step than to the next of these. */
const gtidModes = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'];

/** What no file sets gets the server's own value, which may be one that no text stands for. */
function setStatements({ settings }: Settings, { name, from, to }: AttributeChange): readonly string[] {
  if (!(name in settings)) return [`SET GLOBAL ${sqlName(name)} = DEFAULT`];
  const [start, end] = [from, to].map((mode) => gtidModes.indexOf(String(mode)));
  if (name === 'gtid_mode' && start !== undefined && end !== undefined && end > start) {
    return gtidModes.slice(start + 1, end + 1).map((mode) => `SET GLOBAL gtid_mode = ${mode}`);
  }
  const value = settable(String(to));
  return [`SET GLOBAL ${sqlName(name)} = ${typeof value === 'number' ? value : sqlText(value)}`];
}

const isStatus = (name: string): boolean => name in inUse || name === redoLog || name === 'persisted';

function statements({ desired, attributes }: Change<Settings>): readonly string[] {
  const names = attributes.map(({ name }) => name);
  const dynamic = attributes.filter(({ name }) => !isStatus(name) && !needsStart(desired.flavor, name));
  const readsTls = names.some((name) => name in inUse || Object.values(inUse).includes(name));
  return [
    ...(names.includes('persisted') ? ['RESET PERSIST'] : []),
    ...dynamic.flatMap((attribute) => setStatements(desired, attribute)),
    ...(readsTls && desired.flavor === 'mysql' ? ['ALTER INSTANCE RELOAD TLS'] : []),
    ...(names.includes(redoLog) ? ['ALTER INSTANCE ENABLE INNODB REDO_LOG'] : []),
  ];
}

function scriptOf(change: Change<Settings>): Script {
  const set = runSql(change.desired.flavor);
  const { unit, restart = ['systemctl', 'restart', unit] } = change.desired;
  return change.action === 'restart' ? lines([set, sh`${restart}`]) : set;
}

/** A server that starts reads its option files, and what is kept beside them. */
function foresee(desired: Settings, actual: State | null, planned: Planned): State | null {
  const change = planned(`service:${desired.unit}`);
  const starts =
    change !== undefined &&
    (change.action === 'restart' ||
      change.action === 'create' ||
      change.attributes.some(({ name }) => name === 'running' || name === 'restart'));
  // MariaDB keeps nothing for the next start beside its option files.
  const isKept = desired.flavor === 'mysql' && actual?.['persisted'] !== 'none';
  return starts && actual !== null && !isKept ? want(desired) : actual;
}

export const mysqlSettingsType = defineResource({
  name: 'mysql_settings',
  summary:
    'The settings that a server of MySQL or MariaDB uses: those of its option files, whatever was set beside them by statements or for the next start',
  schema,
  key: ({ name }) => name,
  want,
  probe: (batch) => {
    const server = batch[0]?.flavor ?? 'mysql';
    return probeServer(server, batch, questionOf(server, batch), (rows) => {
      const found = rows.map((text) => row.parse(JSON.parse(text)));
      return batch.map((desired) => stateOf(desired, found));
    });
  },
  apply: each((change) => ({
    resources: [change.id],
    title: `set ${change.attributes.map(({ name }) => name).join(', ')} of ${change.desired.name}`,
    script: scriptOf(change),
    stdin: sqlBytes(statements(change)),
  })),
  comparison: {
    exact: true,
    implied: [...new Set([...settingsOfServer('mysql').keys(), ...Object.keys(inUse), redoLog, 'persisted'])],
    action: (attributes, actual) => {
      if (actual === null) return 'create';
      const server = 'persisted' in actual ? 'mysql' : 'mariadb';
      return attributes.some(({ name }) => needsStart(server, name)) ? 'restart' : 'update';
    },
  },
  order: { after: ({ unit }) => [`service:${unit}`], provides: () => false, foresee },
});

/**
 * What a server uses: `mysqlSettings('mysql', { flavor: 'mysql', unit: 'mysql.service', settings: { port: '3306' } })`.
 */
export function mysqlSettings(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(mysqlSettingsType, { name, ...attributes }, options);
}
