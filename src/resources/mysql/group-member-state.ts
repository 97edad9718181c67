import { createHash } from 'node:crypto';
import { z } from 'zod';
import { HostwrightError } from '../../errors.ts';
import { Secret } from '../../secrets/secret.ts';
import { argv } from '../attribute.ts';
import { Unreadable } from '../state.ts';
import type { Ask } from '../step.ts';
import { groupQuery, isInGroup, ownState, parseGroupServer, type GroupServer } from './group-state.ts';
import { transactionsIn } from './own-transactions.ts';
import { askServer, parseAnswer, type Question } from './question.ts';
import { isUnreadableRelayLog } from './replica-state.ts';
import { replicaSchema } from './replication.ts';

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

export const schema = z.strictObject({
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

export type Member = z.output<typeof schema>;

export const channel = 'group_replication_recovery';
/** What the group gives a member goes through this one. */
export const applier = 'group_replication_applier';

export const question: Question = {
  rows: `${groupQuery}
SELECT JSON_OBJECT('readOnly', @@global.super_read_only, 'user', (SELECT User_name FROM mysql.slave_master_info WHERE Channel_name = '${channel}'),
  'password', (SELECT SHA2(User_password, 256) FROM mysql.slave_master_info WHERE Channel_name = '${channel}'),
  'failures', (SELECT JSON_ARRAYAGG(LAST_ERROR_NUMBER) FROM (
    SELECT CHANNEL_NAME, LAST_ERROR_NUMBER FROM performance_schema.replication_applier_status_by_worker
    UNION ALL
    SELECT CHANNEL_NAME, LAST_ERROR_NUMBER FROM performance_schema.replication_applier_status_by_coordinator
  ) parts WHERE CHANNEL_NAME = '${applier}' AND LAST_ERROR_NUMBER <> 0));`,
};

const channels = z.object({
  readOnly: z.number(),
  /** As whom it logs in to the others; the password as hexadecimal SHA-256. */
  user: z.string().nullable(),
  password: z.string().nullable(),
  /** Numbers of errors that ended the applier. */
  failures: z.array(z.number()).nullable(),
});

export interface Found {
  readonly server: GroupServer;
  readonly readOnly: boolean;
  readonly user: string | null;
  readonly passwordHash: string | null;
  /** It cannot read what it has received and not applied. */
  readonly isRelayLogDamaged: boolean;
}

export function parse([first = '', second = '']: readonly string[]): Found {
  const { readOnly, user, password, failures } = channels.parse(JSON.parse(second));
  return {
    server: parseGroupServer(first),
    readOnly: readOnly === 1,
    user,
    passwordHash: password,
    isRelayLogDamaged: (failures ?? []).some(isUnreadableRelayLog),
  };
}

/** The group closes all but its primary; what somebody has opened would take writes that no other server expects. */
export function isOpenBeside({ server, readOnly }: Found): boolean {
  const own = server.members?.find(({ id }) => id === server.uuid);
  return own?.state === 'ONLINE' && own.role === 'SECONDARY' && !readOnly;
}

export function hasLogin({ user, passwordHash }: Found, member: Member): boolean {
  const hash = createHash('sha256').update(member.password.reveal()).digest('hex');
  return user === member.user && passwordHash === hash;
}

export function count(set: string): string {
  const number = transactionsIn(set);
  return number === 1 ? '1 transaction' : `${number} transactions`;
}

/** What the plan says. */
export function told(member: Member): string {
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

export function isGivenUp({ discard = '' }: Member, own: string): boolean {
  const words = (text: string): string => text.replace(/\s/g, '').toLowerCase();
  return own === '' || words(discard) === words(own);
}

export const inGroup = 'ONLINE';

export function stateOf(found: Found, desired: Member) {
  const { server } = found;
  const state = ownState(server);
  return {
    state: state === inGroup && !isInGroup(server) ? 'ONLINE, without a majority' : state,
    user: found.user ?? 'none',
    password: hasLogin(found, desired) ? desired.password : new Secret(found.passwordHash ?? ''),
    writes: isOpenBeside(found) ? 'taken beside the primary' : 'as its part says',
    relayLog: found.isRelayLogDamaged ? 'damaged' : 'readable',
    start: state === inGroup ? told(desired) : 'none',
  };
}

export function failed(message: string): HostwrightError {
  return new HostwrightError('E_REMOTE', message);
}

export async function look(on: Ask): Promise<Found> {
  const { script } = askServer('mysql', [question]);
  const rows = parseAnswer(await on(script));
  if (rows instanceof Unreadable) throw failed(`the server does not answer: ${rows.reason}`);
  return parse(rows);
}

/** How a server gets into a group. */
export type GroupStart = z.input<typeof start>;
