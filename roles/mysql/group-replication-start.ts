import {
  countHeld,
  heldAlone,
  heldBy,
  isInGroup,
  ownState,
  parseGroupState,
  transactionsIn,
  type GroupServer,
  type GroupStart,
  type GroupState,
} from 'hostwright';
import { cannotBegin, namesOf, noAnswer, unknownWithout, type Member } from './cannot-begin.ts';

interface Known extends Member {
  readonly state: GroupState | undefined;
}

interface Answered extends Member {
  readonly server: GroupServer;
}

function describe({ host, state }: Known, known: readonly Known[]): string {
  const name = `  ${host.name}: `;
  if (state === undefined) return name + noAnswer;
  const { server, hasData } = state;
  if (server === undefined) return `${name}${hasData ? 'data, and no server that answers' : 'no data'}`;
  const alone = known.flatMap((other) => {
    if (other.host.name === host.name || other.state?.server === undefined) return [];
    const set = heldAlone(server, other.state.server);
    return set === '' ? [] : [`${transactionsIn(set)} that ${other.host.name} lacks`];
  });
  const databases = server.databases ?? [];
  return [
    `${name}${ownState(server)}`,
    `${countHeld(server)} transactions`,
    ...alone,
    ...(databases.length === 0 ? ['no databases'] : []),
  ].join(', ');
}

/** It has databases that stand in no history: nobody could copy what it has, and a copy would replace them. */
function isWithoutHistory(server: GroupServer): boolean {
  return heldBy(server) === '' && (server.databases ?? []).length > 0;
}

/** Nothing but what an installation writes, under its own number. */
function isFresh(server: GroupServer): boolean {
  const sources = heldBy(server)
    .split(',')
    .map((entry) => entry.trim().split(':')[0] ?? '')
    .filter((source) => source !== '');
  return (server.databases ?? []).length === 0 && sources.every((source) => source === server.uuid);
}

function parsed(members: readonly Member[]): readonly Known[] {
  return members.map((member) => ({
    ...member,
    state: member.answer === undefined ? undefined : parseGroupState(member.answer),
  }));
}

function isAnswering(member: Known): readonly Answered[] {
  return member.state?.server === undefined ? [] : [{ ...member, server: member.state.server }];
}

/** The member that takes the writes of the group, as far as one that answers sees it; by its address. */
export function writerIn(members: readonly Member[]): string | undefined {
  const seen = parsed(members)
    .flatMap(isAnswering)
    .filter(({ server }) => isInGroup(server))
    .flatMap(({ server }) => server.members ?? []);
  return seen.find(({ role, state }) => role === 'PRIMARY' && state === 'ONLINE')?.address;
}

/** Of those with data one that holds all that the others hold; `first` where there are several. */
function mostRecent(holders: readonly Answered[], first: string): Answered | undefined {
  const best = holders.filter(({ server }) =>
    holders.every((other) => heldAlone(other.server, server) === ''),
  );
  return best.find(({ host }) => host.name === first) ?? best[0];
}

function joined(self: string, inGroup: readonly Answered[], known: readonly Known[]): GroupStart {
  const own = known.filter(({ host }) => host.name === self).flatMap(isAnswering)[0]?.server;
  const [from] = inGroup;
  if (from === undefined || own === undefined || ownState(own) === 'ONLINE') return { kind: 'join' };
  if (isWithoutHistory(own)) {
    return {
      kind: 'refuse',
      reason: `this server has databases without GTIDs, which a copy would replace: ${(own.databases ?? []).join(', ')}. Dump and drop them`,
    };
  }
  const alone =
    inGroup.map(({ server }) => heldAlone(own, server)).toSorted((a, b) => a.length - b.length)[0] ?? '';
  return { kind: 'join', own: alone, from: { name: from.host.name, address: from.host.address } };
}

/**
 * How the member `self` gets into the group, from what all members have answered at the same time, while this run has
 * them locked. One begins a group only where every member has answered, none is in one, and it holds all that the
 * others hold. `first` begins where nobody has data. `members` are in the order in which they are applied.
 */
export function groupStartOf(self: string, first: string, members: readonly Member[]): GroupStart {
  const known = parsed(members);
  const answering = known.flatMap(isAnswering);
  const inGroup = answering.filter(({ server }) => isInGroup(server));
  if (inGroup.length > 0) return joined(self, inGroup, known);
  const say = (reason: string): string =>
    cannotBegin(
      'group',
      reason,
      known.map((one) => describe(one, known)),
    );
  const orPromote =
    'If one is gone for good, and you know which of the others is to go on: hostwright do mysql promote HOST --yes-it-is-dead';
  const missing = known.filter(({ state }) => state === undefined);
  if (missing.length > 0) return { kind: 'join', reason: say(`${unknownWithout(missing)}. ${orPromote}`) };
  const silent = known.filter(({ state }) => state?.hasData === true && state.server === undefined);
  if (silent.length > 0) {
    return {
      kind: 'join',
      reason: say(
        `what ${namesOf(silent)} has is not known while its server does not run. Run apply again when it does. ${orPromote}`,
      ),
    };
  }
  const busy = answering.filter(({ server }) => ['ONLINE', 'RECOVERING'].includes(ownState(server)));
  if (busy.length > 0) {
    return { kind: 'join', reason: say(`${namesOf(busy)} is in one. Run apply again in a minute`) };
  }
  return beginOrWait(self, first, members, answering, say);
}

function beginOrWait(
  self: string,
  first: string,
  members: readonly Member[],
  answering: readonly Answered[],
  say: (reason: string) => string,
): GroupStart {
  const order = members.map(({ host }) => host.name);
  const holders = answering.filter(({ server }) => !isFresh(server));
  const unknown = holders.filter(({ server }) => isWithoutHistory(server));
  if (unknown.length > 0 && holders.length > 1) {
    return {
      kind: 'refuse',
      reason: say(
        `${namesOf(unknown)} has databases without GTIDs, which a copy would replace. Dump and drop them`,
      ),
    };
  }
  const best = holders.length === 0 ? undefined : mostRecent(holders, first);
  if (holders.length > 0 && best === undefined) {
    return {
      kind: 'refuse',
      reason: say(
        'none of them holds all that the others hold. Decide which one is to go on: hostwright do mysql promote HOST',
      ),
    };
  }
  const begins = best?.host.name ?? first;
  if (begins !== self) {
    return order.indexOf(begins) > order.indexOf(self) ? { kind: 'wait', for: begins } : { kind: 'join' };
  }
  return { kind: 'begin', held: best === undefined ? '' : heldBy(best.server), others: order.indexOf(self) };
}
