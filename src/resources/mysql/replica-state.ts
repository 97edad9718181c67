import { createHash } from 'node:crypto';
import { Secret } from '../../secrets/secret.ts';
import { keptIn, transactionsIn } from './own-transactions.ts';
import type { Failure, Replica, ReplicaStatus } from './replication.ts';

/** The binary logs with what is missing are gone: MySQL's number, and MariaDB's. */
const purged = new Set([13_114, 1236]);
/** No space, no memory: a copy of the data would meet them again. */
const notOfTheData = new Set([3, 28, 1021, 1037, 1038, 1041]);

export function hashOf(replica: Replica): string {
  return createHash('sha256').update(replica.password.reveal()).digest('hex');
}

/** What was received cannot be read; MySQL's number, and MariaDB's. The primary has it, and sends it once more. */
export function isUnreadableRelayLog(failure: number): boolean {
  return failure === 13_121 || failure === 1594;
}

export function isRelayLogDamaged({ applyFailure }: ReplicaStatus): boolean {
  return applyFailure !== null && isUnreadableRelayLog(applyFailure.number);
}

/** A failure that only a new copy of the data ends. */
export function dataFailure(status: ReplicaStatus): Failure | undefined {
  const { receiveFailure, applyFailure } = status;
  if (applyFailure !== null && !notOfTheData.has(applyFailure.number) && !isRelayLogDamaged(status)) {
    return applyFailure;
  }
  return receiveFailure !== null && purged.has(receiveFailure.number) ? receiveFailure : undefined;
}

const dataOfPrimary = 'that of the primary';

/** In the place of all transactions that the primary lacks, whose number shrinks while it uses theirs again. */
export function toGiveUp({ lostMarks, ownTransactions }: ReplicaStatus): string {
  return lostMarks === '' ? (ownTransactions ?? '') : lostMarks;
}

function dataState(status: ReplicaStatus): string {
  if (status.seeding !== undefined) return 'half copied';
  if (status.lostMarks !== '') return 'of a history that the primary has lost';
  if (status.isAhead) return 'ahead of the primary, which has lost transactions';
  if (status.isEmpty) {
    return status.databases.length === 0 ? 'none' : `databases without GTIDs: ${status.databases.join(', ')}`;
  }
  if (status.isPurged) return 'too old: the primary has purged the next binary logs';
  const failure = dataFailure(status);
  return failure === undefined ? dataOfPrimary : `stopped: ${failure.message}`;
}

/** Somebody has made it a primary, which the inventory does not say: nothing is changed of its own accord. */
export function isApart(status: ReplicaStatus, replica: Replica): boolean {
  return (
    !status.readOnly &&
    !status.isMember &&
    status.source === null &&
    !status.isEmpty &&
    !isGivenUp(replica, toGiveUp(status))
  );
}

/** How many transactions a copy of the primary's data would lose. */
function adviceFor({ ownTransactions }: ReplicaStatus, replica: Replica): string {
  const count = replica.flavor === 'mysql' ? transactionsIn(ownTransactions ?? '') : 0;
  if (count === 0) return '';
  const what = count === 1 ? '1 transaction is' : `${count} transactions are`;
  return `${what} on this host alone, and not on ${replica.primary}: what mysql_discard_transactions discards is kept in ${keptIn}`;
}

export function want(replica: Replica) {
  return {
    source: `${replica.address}:${replica.port}`,
    user: replica.user,
    password: replica.password,
    tls: 'verified',
    position: 'gtid',
    delay: 0,
    filters: 'none',
    options: 'as declared',
    otherSources: 'none',
    receiving: 'on',
    applying: 'on',
    readOnly: true,
    contradiction: 'none',
    semiSync: replica.semiSync ? 'on' : undefined,
    relayLog: 'readable',
    data: dataOfPrimary,
    ownTransactions: 'none',
  };
}

/** Of a server that is not touched only what keeps it from that. */
export function stateOf(status: ReplicaStatus, replica: Replica) {
  if (isApart(status, replica)) {
    return { ...want(replica), semiSync: 'on', contradiction: 'takes writes and follows nobody', advice: '' };
  }
  return {
    source: status.source,
    user: status.user,
    password: status.passwordHash === hashOf(replica) ? replica.password : new Secret(status.passwordHash),
    tls: status.tls,
    position: status.position,
    delay: status.delay,
    filters: status.filters.join('; ') || 'none',
    options: status.options.join('; ') || 'as declared',
    otherSources: status.channels.join(', ') || 'none',
    receiving: status.receiving,
    applying: status.applying,
    readOnly: status.readOnly,
    contradiction: 'none',
    semiSync: replica.semiSync ? status.semiSync : 'on',
    relayLog: isRelayLogDamaged(status) ? 'damaged' : 'readable',
    data: dataState(status),
    ownTransactions: toGiveUp(status) || 'none',
    advice: adviceFor(status, replica),
  };
}

export function isGivenUp(replica: Replica, transactions: string): boolean {
  const words = (text: string): string => text.replace(/\s/g, '').toLowerCase();
  return replica.discard !== undefined && words(replica.discard) === words(transactions);
}
