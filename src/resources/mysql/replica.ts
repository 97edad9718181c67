import { HostwrightError } from '../../errors.ts';
import { sh } from '../../transport/shell.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { Unreadable, type Change } from '../state.ts';
import type { Ask } from '../step.ts';
import type { z } from 'zod';
import {
  isFollowing,
  isSource,
  positionStatements,
  replicaSchema,
  resetStatements,
  semiSyncStatements,
  sourceStatements,
  startStatements,
  stopStatement,
  wholeStatements,
  type Failure,
  type Replica,
  type ReplicaStatus,
} from './replication.ts';
import { markStatements } from './history.ts';
import { forgetStatements, forgetTransactions, isOfPackage } from './of-package.ts';
import { keepTransactions, keptIn, transactionsIn } from './own-transactions.ts';
import {
  dataFailure,
  hashOf,
  isApart,
  isGivenUp,
  isRelayLogDamaged,
  stateOf,
  toGiveUp,
  want,
} from './replica-state.ts';
import { donorAuthority, readDonor, seedStep } from './seed.ts';
import { endSeeding } from './seeding-mark.ts';
import { askServer, parseAnswer, probeServer } from './question.ts';
import { runSql, sqlBytes } from './sql.ts';
import { askReplica, parseStatus } from './status.ts';

/** Seconds to wait until the replication runs, and then until it has caught up. */
const patience = { start: 30, catchUp: 60 };

function failed(message: string, failure?: Failure | null): HostwrightError {
  const detail = failure === undefined || failure === null ? '' : `: ${failure.message} (${failure.number})`;
  return new HostwrightError('E_REMOTE', `${message}${detail}`);
}

async function ask(on: Ask, replica: Replica): Promise<ReplicaStatus> {
  const { script, stdin } = askServer(replica.flavor, [askReplica(replica)]);
  const rows = parseAnswer(await on(script, stdin));
  if (rows instanceof Unreadable) throw failed(`the server does not answer: ${rows.reason}`);
  return parseStatus(rows, replica);
}

/** Of a copy that broke off there may be databases, and never a transaction. */
function holdsUnknownDatabases({ isEmpty, databases, seeding }: ReplicaStatus): boolean {
  return isEmpty && databases.length > 0 && seeding !== 'emptied';
}

/** MySQL alone can tell transactions apart by their GTIDs in its binary logs. */
function keptWords({ flavor }: Replica): string {
  return flavor === 'mysql' ? `; they are kept as statements in ${keptIn} of this host` : '';
}

/** Throws where going on would lose data, or where nobody can tell. */
function refuseToLose(status: ReplicaStatus, replica: Replica): void {
  const { primary } = replica;
  if (isApart(status, replica)) {
    throw failed(
      `this server takes writes and follows nobody, and the inventory says that it follows ${primary}, so no ` +
        'changes were made\nif it is to take them, set mysql_primary to its name in the inventory; ' +
        `to move them to ${primary}, run hostwright do mysql promote ${primary}`,
    );
  }
  if (status.primaryError !== null || status.ownTransactions === null) {
    throw failed(
      `the primary ${primary} does not answer ${replica.user}: ${status.primaryError ?? 'no answer'}`,
    );
  }
  const transactions = toGiveUp(status);
  if (transactions !== '' && !isGivenUp(replica, transactions)) {
    throw failed(
      status.lostMarks === ''
        ? `the replica has transactions that the primary ${primary} lacks, so no changes were made: ${transactions}\n` +
            `copy them to ${primary}, or discard them: set mysql_discard_transactions of this host to exactly these${keptWords(replica)}`
        : `the primary ${primary} has lost the history that was copied here: its binary logs were reset, or older ` +
            'data was restored. Transaction numbers cannot show what is missing there, so this replica is ' +
            `stopped and its data stays unchanged\ncompare the data; to discard the data of this host, set its mysql_discard_transactions to ${transactions}${keptWords(replica)}`,
    );
  }
  if (holdsUnknownDatabases(status)) {
    throw failed(
      `the replica has its own databases without GTIDs, so no changes were made: ${status.databases.join(', ')}\n` +
        `copy them to ${primary} and drop them here`,
    );
  }
}

/** How often to ask: a transaction may be here a moment before the primary counts it among its own. */
const looks = 3;

/**
 * A replica whose primary has lost a part of the common history stops, and gets a mark of its own where no mark was
 * lost: else the primary uses the numbers again, and the replica goes on with other data as if nothing were missing.
 */
async function keptApart(on: Ask, replica: Replica): Promise<ReplicaStatus> {
  let status = await ask(on, replica);
  for (let look = 1; status.isAhead && status.lostMarks === '' && look < looks; look += 1) {
    await on(sh`sleep 1`);
    status = await ask(on, replica);
  }
  if (status.primaryError !== null || (!status.isAhead && status.lostMarks === '')) return status;
  const mark = status.lostMarks === '' ? markStatements(replica.flavor) : [];
  await on(runSql(replica.flavor), sqlBytes([stopStatement(replica), ...mark]));
  return ask(on, replica);
}

/** Without what Debian's package has written, where that is all that the primary lacks. */
async function withoutPackage(on: Ask, replica: Replica, status: ReplicaStatus): Promise<ReplicaStatus> {
  const own = status.ownTransactions ?? '';
  if (replica.flavor !== 'mysql' || own === '' || status.lostMarks !== '' || isApart(status, replica)) {
    return status;
  }
  const proof = await on(isOfPackage(own, transactionsIn(own)));
  if (proof.toString('utf8').trim() !== 'yes') return status;
  await on(forgetTransactions, sqlBytes(forgetStatements(own)));
  return ask(on, replica);
}

/** Waits, within limits, until transactions flow and the replica has caught up; gives the last status. */
async function settled(on: Ask, replica: Replica): Promise<ReplicaStatus> {
  for (let second = 0; ;) {
    const status = await ask(on, replica);
    // A probe waits five seconds itself while the replica connects.
    second += status.receiving === 'connecting' ? 6 : 1;
    const isDone = isFollowing(status) && !status.isBehind;
    const isStuck = !isFollowing(status) && (second >= patience.start || dataFailure(status) !== undefined);
    if (isDone || isStuck || second >= patience.catchUp) return status;
    await on(sh`sleep 1`);
  }
}

async function start(on: Ask, replica: Replica, status: ReplicaStatus): Promise<ReplicaStatus> {
  const changes = [
    ...wholeStatements(replica, status),
    ...semiSyncStatements(replica, status),
    ...(isRelayLogDamaged(status) ? [stopStatement(replica), ...resetStatements(replica)] : []),
    ...(isSource(status, replica, hashOf(replica)) ? [] : sourceStatements(replica)),
    ...positionStatements(status),
  ];
  const [readOnly = '', ...starting] = startStatements(replica);
  const statements = [...changes, readOnly, ...(isFollowing(status) && changes.length === 0 ? [] : starting)];
  await on(runSql(replica.flavor), sqlBytes(statements));
  return settled(on, replica);
}

/** The CA for the primary alone, PEM. */
async function authorityOf(on: Ask, replica: Replica): Promise<string> {
  const answer = await on(readDonor(replica));
  try {
    return donorAuthority(answer);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw failed(
      `the certificate of the primary ${replica.primary}, or that of its CA, cannot be used: ${reason}`,
    );
  }
}

/** Replaces all data of this server by that of the one that it is to follow. `endSeeding` is for the caller. */
export async function copyData(on: Ask, replica: Replica): Promise<void> {
  const authority = replica.flavor === 'mysql' ? await authorityOf(on, replica) : '';
  const { script, stdin } = seedStep(replica, authority);
  await on(script, stdin, replica.seedTimeout * 1000);
}

async function seed(on: Ask, replica: Replica): Promise<void> {
  await copyData(on, replica);
  const status = await start(on, replica, await ask(on, replica));
  if (!isFollowing(status)) {
    throw failed(
      'the replication does not run, even with a new copy of the data',
      status.applyFailure ?? status.receiveFailure,
    );
  }
  await on(endSeeding);
}

/** Restarts what stands still, and copies the data anew where that is what the plan says or cannot be avoided. */
async function follow(on: Ask, { desired: replica, attributes }: Change<Replica>): Promise<void> {
  const before = await withoutPackage(on, replica, await keptApart(on, replica));
  refuseToLose(before, replica);
  const mayCopy = attributes.some(({ name }) => name === 'data' || name === 'ownTransactions');
  const isSeeding = before.seeding !== undefined;
  if (isSeeding || before.isEmpty || before.isPurged || before.ownTransactions !== '') {
    if (!mayCopy)
      throw failed(
        'the replica needs a new copy of the data, which the plan did not show: run the command again',
      );
    if (replica.flavor === 'mysql' && before.ownTransactions !== null && before.ownTransactions !== '') {
      await on(keepTransactions(before.ownTransactions));
    }
    await seed(on, replica);
    return;
  }
  const after = await start(on, replica, before);
  if (isFollowing(after)) return;
  const failure = dataFailure(after);
  if (failure === undefined)
    throw failed('the replication does not run', after.receiveFailure ?? after.applyFailure);
  refuseToLose(await keptApart(on, replica), replica);
  if (!mayCopy)
    throw failed(
      'the replica needs a new copy of the data: run the command again, the plan will show it',
      failure,
    );
  await seed(on, replica);
}

export const mysqlReplicaType = defineResource({
  name: 'mysql_replica',
  summary:
    'A server that replicates from a primary by GTID over verified TLS. Its data is copied from the primary. A stopped replica is restarted or copied again, but never if it has transactions that the primary lacks',
  schema: replicaSchema,
  key: (replica) => replica.primary,
  want,
  probe: ([replica]) => {
    if (replica === undefined) throw new RangeError('there is no replica to read');
    return probeServer(replica.flavor, [replica], askReplica(replica), (rows) => [
      stateOf(parseStatus(rows, replica), replica),
    ]);
  },
  apply: (changes) =>
    changes.map((change) => ({
      resources: [change.id],
      title: `follow ${change.desired.primary}`,
      converse: (on) => follow(on, change),
    })),
  comparison: {
    computed: ['advice'],
    remarks: ({ advice }) => (advice === '' ? [] : [advice]),
  },
  order: { provides: () => false },
});

/** A replica: `mysqlReplica('web2', { flavor: 'mysql', address: '10.0.0.12', … })`. */
export function mysqlReplica(
  primary: string,
  attributes: Omit<z.input<typeof replicaSchema>, 'primary'>,
  options?: ResourceOptions,
): Resource {
  return declare(mysqlReplicaType, { primary, ...attributes }, options);
}
