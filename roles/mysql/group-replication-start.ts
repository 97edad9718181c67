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
import {
  cannotBegin,
  namesOf,
  noAnswer,
  unknownWithout,
  type Member as AskedMember,
} from './cannot-begin.ts';

export interface Member extends AskedMember {
  /** Transactions that it alone has and that may be lost. */
  readonly discard?: string | undefined;
}

interface Known extends Member {
  readonly state: GroupState | undefined;
}

interface Answered extends Member {
  readonly server: GroupServer;
}

/**
 * GTIDs that one has and another one lacks. A replica may be asked a moment after its primary: what that one has
 * numbered is no loss.
 */
function aloneIn({ server }: Answered, other: Answered): string {
  const set = heldAlone(server, other.server);
  if (server.follows !== other.host.address) return set;
  return set
    .split(',')
    .filter((entry) => !entry.startsWith(`${other.server.uuid}:`))
    .join(',');
}

function isGivenUp({ discard = '' }: Member, own: string): boolean {
  const words = (text: string): string => text.replaceAll(/\s/g, '').toLowerCase();
  return own !== '' && words(discard) === words(own);
}

function describe(one: Known, answering: readonly Answered[]): string {
  const name = `  ${one.host.name}: `;
  if (one.state === undefined) return name + noAnswer;
  const { server, hasData } = one.state;
  if (server === undefined) return `${name}${hasData ? 'data, and no server that answers' : 'no data'}`;
  const alone = answering.flatMap((other) => {
    const set = aloneIn({ ...one, server }, other);
    return set === '' ? [] : [`${transactionsIn(set)} that ${other.host.name} lacks (${set})`];
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

/** Of those with data one that holds all that the others hold and nobody gives up; `first` where there are several. */
function mostRecent(holders: readonly Answered[], first: string): Answered | undefined {
  const best = holders.filter((one) =>
    holders.every((other) => {
      const more = aloneIn(other, one);
      return (more === '' || isGivenUp(other, more)) && !isGivenUp(one, aloneIn(one, other));
    }),
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
 * others hold. `first` begins where nobody has data, and where it is the primary that others follow.
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
      known.map((one) => describe(one, answering)),
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
  return begunBy(self, first, answering, say);
}

/** Servers that follow others, of before they were a group; undefined where they follow `first`, or there are none. */
function contradiction(answering: readonly Answered[], first: string): string | undefined {
  const primary = answering.find(({ host }) => host.name === first);
  const astray = answering.find(
    ({ host, server }) =>
      server.follows !== null && (host.name === first || server.follows !== primary?.host.address),
  );
  if (astray === undefined) return undefined;
  const source = answering.find(({ host }) => host.address === astray.server.follows);
  return (
    `${astray.host.name} follows ${source?.host.name ?? astray.server.follows}, and the inventory says that ${first} takes the writes. ` +
    `Set mysql_primary to the one that takes them`
  );
}

function begunBy(
  self: string,
  first: string,
  answering: readonly Answered[],
  say: (reason: string) => string,
): GroupStart {
  const refuse = (reason: string): GroupStart => ({ kind: 'refuse', reason: say(reason) });
  const holders = answering.filter(({ server }) => !isFresh(server));
  const unknown = holders.filter(({ server }) => isWithoutHistory(server));
  if (unknown.length > 0 && holders.length > 1) {
    return refuse(
      `${namesOf(unknown)} has databases without GTIDs, which a copy would replace. Dump and drop them`,
    );
  }
  const astray = contradiction(answering, first);
  if (astray !== undefined) return refuse(astray);
  const isFollowed = answering.some(({ server }) => server.follows !== null);
  const best = mostRecent(holders, first);
  if (holders.length > 0 && (best === undefined || (isFollowed && best.host.name !== first))) {
    return refuse(
      'none of them holds all that the others hold. Set mysql_discard_transactions of a server to exactly what it has more ' +
        'than the one that is to go on: it is kept as a file, and the data is copied again' +
        (isFollowed ? '' : '. Or decide which one goes on: hostwright do mysql promote HOST'),
    );
  }
  const keyless = best?.server.keyless ?? [];
  if (keyless.length > 0) {
    return refuse(
      `no member of a group could write to these tables of ${best?.host.name ?? first}, which have no primary key: ${keyless.join(', ')}. Add one to each`,
    );
  }
  if ((best?.host.name ?? first) === self)
    return { kind: 'begin', held: best === undefined ? '' : heldBy(best.server) };
  const own = answering.find(({ host }) => host.name === self);
  if (best === undefined || own === undefined || isFresh(own.server)) return { kind: 'join' };
  const { name, address } = best.host;
  return { kind: 'join', own: aloneIn(own, best), from: { name, address } };
}
