import { createHash } from 'node:crypto';
import { z } from 'zod';
import { HostwrightError } from '../../errors.ts';
import { Secret } from '../../secrets/secret.ts';
import { lines, sh } from '../../transport/shell.ts';
import { argv } from '../attribute.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { Unreadable, type Change } from '../state.ts';
import type { Ask } from '../step.ts';
import { gtidsMinus } from './gtid-set.ts';
import {
  groupQuery,
  heldBy,
  isInGroup,
  ownState,
  parseGroupServer,
  type GroupServer,
} from './group-state.ts';
import { forgetStatements, forgetTransactions, isOfPackage } from './of-package.ts';
import { keepTransactions, keptIn, transactionsIn } from './own-transactions.ts';
import { askServer, parseAnswer, probeServer, type Question } from './question.ts';
import { copyData } from './replica.ts';
import { replicaSchema } from './replication.ts';
import { endSeeding } from './seeding-mark.ts';
import { runSql, sqlBytes, sqlClient, sqlText } from './sql.ts';
import { createUserStatements } from './user.ts';

const hostName = z.string().regex(/^[\w.-]+$/, 'expected the name of a host');
const gtids = z.string().regex(/^[\w:, -]*$/, 'expected a set of GTIDs');

const { user, password, port, ca, certificate, key, seedTimeout } = replicaSchema.shape;

const start = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('join'),
      from: z
        .strictObject({ name: hostName, address: replicaSchema.shape.address })
        .optional()
        .describe('A member of the group'),
      own: gtids.default('').describe('Transactions that the group lacks'),
      reason: z.string().optional().describe('What to say where no group is found'),
    }),
    z.strictObject({ kind: z.literal('refuse'), reason: z.string() }),
    z.strictObject({
      kind: z.literal('begin'),
      held: gtids.describe('What this server had when that was decided'),
    }),
  ])
  .describe('How it gets into a group: `begin` only where no member is in one, and this one holds all');

const schema = z.strictObject({
  name: hostName,
  user: user.describe('The account as which members log in to each other'),
  password,
  from: z.array(z.string()).describe('The clients of that account, as the server sees them'),
  port,
  ca,
  certificate,
  key,
  join: argv.describe(
    'Joins the group, unless this server is in it; a first argument `wait` waits for another run',
  ),
  start,
  discard: z
    .string()
    .optional()
    .describe('Transactions that the group lacks and that may be lost: the data is then copied again'),
  seedTimeout,
});

type Member = z.output<typeof schema>;

const channel = 'group_replication_recovery';
/** Held by all that join or begin. */
const lock = '/run/mysql-group.lock';

const question: Question = {
  rows: `${groupQuery}
SELECT JSON_OBJECT('user', User_name, 'password', SHA2(User_password, 256)) FROM mysql.slave_master_info WHERE Channel_name = '${channel}';`,
};

const login = z.object({ user: z.string().nullable(), password: z.string().nullable() });

interface Found {
  readonly server: GroupServer;
  /** As whom it logs in to the others; the password as hexadecimal SHA-256. */
  readonly login: z.output<typeof login> | undefined;
}

function parse([first = '', second]: readonly string[]): Found {
  return {
    server: parseGroupServer(first),
    login: second === undefined ? undefined : login.parse(JSON.parse(second)),
  };
}

function hasLogin({ login: found }: Found, { user: name, password: secret }: Member): boolean {
  const hash = createHash('sha256').update(secret.reveal()).digest('hex');
  return found?.user === name && found.password === hash;
}

function count(set: string): string {
  const number = transactionsIn(set);
  return number === 1 ? '1 transaction' : `${number} transactions`;
}

/** What the plan says. */
function told(member: Member): string {
  const { start: how } = member;
  switch (how.kind) {
    case 'begin':
      return how.held === ''
        ? 'begins a new group: no member has data'
        : 'begins the group again: no member has more';
    case 'join':
      if (how.own === '') return 'joins';
      return isGivenUp(member, how.own)
        ? `joins, without ${count(how.own)} that the group lacks: ${how.own}`
        : `joins only if ${count(how.own)} that the group lacks may be discarded: ${how.own}`;
    case 'refuse':
      return how.reason.split('\n')[0] ?? '';
    default:
      return how satisfies never;
  }
}

function isGivenUp({ discard = '' }: Member, own: string): boolean {
  const words = (text: string): string => text.replace(/\s/g, '').toLowerCase();
  return own === '' || words(discard) === words(own);
}

const inGroup = 'ONLINE';

function stateOf(found: Found, desired: Member) {
  const { server } = found;
  const state = ownState(server);
  return {
    state: state === inGroup && !isInGroup(server) ? 'ONLINE, without a majority' : state,
    user: found.login?.user ?? 'none',
    password: hasLogin(found, desired) ? desired.password : new Secret(found.login?.password ?? ''),
    start: state === inGroup ? told(desired) : 'none',
  };
}

async function look(on: Ask): Promise<Found> {
  const { script } = askServer('mysql', [question]);
  const rows = parseAnswer(await on(script));
  if (rows instanceof Unreadable) throw failed(`the server does not answer: ${rows.reason}`);
  return parse(rows);
}

function failed(message: string): HostwrightError {
  return new HostwrightError('E_REMOTE', message);
}

const loginStatement = ({ user: name, password: secret }: Member): string =>
  `CHANGE REPLICATION SOURCE TO SOURCE_USER = ${sqlText(name)}, SOURCE_PASSWORD = ${sqlText(secret.reveal())} FOR CHANNEL '${channel}'`;

const grants = ['REPLICATION SLAVE', 'CONNECTION_ADMIN', 'BACKUP_ADMIN', 'GROUP_REPLICATION_STREAM'] as const;

/**
 * Statements after which a server outside of a group can join one. The account is written beside the history: members
 * log in to each other before one has the history of the others.
 */
function prepareStatements(member: Member, { follows }: GroupServer): readonly string[] {
  const accounts = member.from.flatMap((host) => [
    `DROP USER IF EXISTS ${sqlText(member.user)}@${sqlText(host)}`,
    ...createUserStatements({
      ...{ name: member.user, host, flavor: 'mysql', password: member.password, tls: 'x509' },
      grants: { '*.*': [...grants] },
    }),
  ]);
  return [
    'SET GLOBAL group_replication_bootstrap_group = OFF',
    'STOP GROUP_REPLICATION',
    ...(follows === null ? [] : ['STOP REPLICA', "RESET REPLICA ALL FOR CHANNEL ''"]),
    'SET SESSION sql_log_bin = 0',
    // read_only stays: only root writes.
    'SET GLOBAL super_read_only = OFF',
    ...accounts,
    'SET GLOBAL super_read_only = ON',
    loginStatement(member),
  ];
}

/** Seconds that a START of another run may take. */
const startTime = 90;

/** Runs alone: a server that begins a group must not be told to join one at the same time. */
const alone = sh`exec 9>${lock}
flock -w ${startTime} 9 || { echo 'another run joins the group' >&2; exit 1; }`;

const lastWords = sh`grep -F "Plugin group_replication reported" /var/log/mysql/error.log 2>/dev/null | grep -F '[ERROR]' | tail -n 3 | sed 's/.*reported: //' >&2`;

/** Shell that begins a group on a server outside of one; whatever comes of it, no later join begins another one. */
export const beginGroup = lines([
  sqlClient('mysql'),
  alone,
  sh`trap 'echo "SET GLOBAL group_replication_bootstrap_group = OFF;" | hw_sql' EXIT
printf '%s\n' 'STOP GROUP_REPLICATION;' 'SET GLOBAL group_replication_bootstrap_group = ON;' 'START GROUP_REPLICATION;' | hw_sql || {
  ${lastWords}
  exit 1
}`,
]);

/** Seconds that a server may be silent: the copy of all data ends with a restart. */
const restarting = 120;

async function begin(on: Ask, how: Extract<Member['start'], { kind: 'begin' }>): Promise<void> {
  const { server } = await look(on);
  const missing = gtidsMinus('mysql', how.held, heldBy(server));
  if (missing !== '') {
    throw failed(
      `a group cannot be begun: this server lacks ${count(missing)} that it had when that was decided: ${missing}`,
    );
  }
  await on(beginGroup);
}

/** A START that finds nobody takes a minute. */
const tries = 3;

async function join(on: Ask, member: Member, reason: string | undefined): Promise<void> {
  let problem = '';
  for (let left = tries; left > 0; left -= 1) {
    try {
      await on(sh`${member.join} wait`);
    } catch (error) {
      // A server that copies all data ends in between.
      if (!(error instanceof HostwrightError)) throw error;
      problem = error.message;
      if (reason !== undefined) break;
    }
    if (await becomesOnline(on, member)) return;
  }
  throw failed(
    [`this server does not get into the group`, problem, reason ?? '']
      .filter((text) => text !== '')
      .join('\n'),
  );
}

/** Whether it does, as long as it recovers. */
async function becomesOnline(on: Ask, { seedTimeout: patience }: Member): Promise<boolean> {
  let silent = 0;
  for (let second = 0; second < patience; second += 1) {
    try {
      const state = ownState((await look(on)).server);
      if (state === inGroup) return true;
      if (state !== 'RECOVERING') return false;
      silent = 0;
    } catch (error) {
      silent += 1;
      if (silent > restarting) throw error;
    }
    await on(sh`sleep 1`);
  }
  return false;
}

/** Without what Debian's package has written, where that is all that the group lacks. */
async function forgetPackage(on: Ask, own: string): Promise<boolean> {
  const proof = await on(isOfPackage(own, transactionsIn(own)));
  if (proof.toString('utf8').trim() !== 'yes') return false;
  await on(forgetTransactions, sqlBytes(forgetStatements(own)));
  return true;
}

function refuseToLose(member: Member, own: string, from: string): void {
  if (isGivenUp(member, own)) return;
  throw failed(
    `this server has ${count(own)} that the group lacks, so it cannot join, and no changes were made: ${own}\n` +
      `copy them to ${from}, or discard them: set mysql_discard_transactions of this host to exactly these; ` +
      `they are kept as statements in ${keptIn} of this host`,
  );
}

async function takePart(on: Ask, { desired: member }: Change<Member>): Promise<void> {
  const found = await look(on);
  const { start: how } = member;
  if (ownState(found.server) === inGroup) {
    if (!hasLogin(found, member)) await on(runSql('mysql'), sqlBytes([loginStatement(member)]));
    if (isInGroup(found.server) || (await becomesOnline(on, member))) return;
    throw failed(
      'this member sees no majority of its group: it takes no writes, and goes on when it sees one',
    );
  }
  if (how.kind === 'refuse') throw failed(how.reason);
  const ofGroup = how.kind === 'join' && how.from !== undefined ? how : undefined;
  const own = ofGroup?.own ?? '';
  const donor = ofGroup?.from;
  const prepare = lines([alone, runSql('mysql')]);
  if (own !== '' && donor !== undefined && !(await forgetPackage(on, own))) {
    refuseToLose(member, own, donor.name);
    await on(prepare, sqlBytes(prepareStatements(member, found.server)));
    await on(keepTransactions(own));
    await copyData(on, {
      ...{ flavor: 'mysql', primary: donor.name, address: donor.address, port: member.port },
      ...{
        user: member.user,
        password: member.password,
        seedUser: member.user,
        seedPassword: member.password,
      },
      ...{ ca: member.ca, certificate: member.certificate, key: member.key, seedTimeout: member.seedTimeout },
      semiSync: false,
    });
    await on(endSeeding);
  } else if (ownState(found.server) !== 'RECOVERING') {
    await on(prepare, sqlBytes(prepareStatements(member, found.server)));
  }
  if (how.kind === 'begin') await begin(on, how);
  else await join(on, member, how.reason);
}

export const mysqlGroupMemberType = defineResource({
  name: 'mysql_group_member',
  summary:
    'A MySQL server that takes part in a group of Group Replication that has a majority. A group is begun only as `start` says; a server with transactions that the group lacks does not join',
  schema,
  key: ({ name }) => name,
  want: (member) => ({
    state: inGroup,
    user: member.user,
    password: member.password,
    start: told(member),
  }),
  probe: (batch) =>
    probeServer('mysql', batch, question, (rows) => batch.map((desired) => stateOf(parse(rows), desired))),
  apply: (changes) =>
    changes.map((change) => ({
      resources: [change.id],
      title: 'take part in the group',
      converse: (on) => takePart(on, change),
    })),
  order: { after: () => ['mysql_settings:mysql'], provides: () => false },
});

/** The server of this host in a group: `mysqlGroupMember('web2', { user: 'replication', … })`. */
export function mysqlGroupMember(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(mysqlGroupMemberType, { name, ...attributes }, options);
}

/** How a server gets into a group. */
export type GroupStart = z.input<typeof start>;
