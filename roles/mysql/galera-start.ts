import { galeraFolder, lines, parseGaleraState, sh, type GaleraState, type Script } from 'hostwright';
import {
  cannotBegin,
  namesOf,
  noAnswer,
  unknownWithout,
  type Member as AskedMember,
} from './cannot-begin.ts';
import {
  compareFirst,
  forgetCluster,
  lossOf,
  parseOutside,
  sql,
  surelyErrant,
  type Holder,
} from './galera-outside.ts';
import { opener } from './left-over.ts';

/** Those who may have data of the cluster or vote in it. */
export interface Member extends AskedMember {
  readonly hasData: boolean;
  /** Of `outsideState`. */
  readonly outside?: string | undefined;
  /** Transactions that it alone has and that may be lost. */
  readonly discard?: string | undefined;
}

/** How a server is to start. Joining never makes a second cluster: it waits for one, and gives up. */
export type Start =
  | { readonly kind: 'join' }
  /** It joins, and where that fails the reason why none may be begun is what a person must know. */
  | { readonly kind: 'join or say'; readonly reason: string }
  | { readonly kind: 'refuse'; readonly reason: string }
  | { readonly kind: 'begin'; readonly of: string; readonly data: 'none' | 'of the cluster' };

interface Known extends Member {
  readonly state: GaleraState | undefined;
}

interface Answered extends Member {
  readonly state: GaleraState;
}

function describe({ host, hasData, state }: Known): string {
  const name = `  ${host.name}${hasData ? '' : ' (arbitrator)'}: `;
  if (state === undefined) return name + noAnswer;
  const { unit, uuid, seqno, isLast, databases } = state;
  const data =
    uuid === undefined
      ? databases.length === 0
        ? 'no data of a cluster'
        : `databases of no cluster: ${databases.join(', ')}`
      : `cluster ${uuid}, ${seqno === undefined ? 'last transaction not known' : `transaction ${seqno}`}${isLast ? ', left last' : ''}`;
  return `${name}${unit}${hasData ? `, ${data}` : state.hasView ? ', keeps a view of a cluster' : ''}`;
}

function withTable(reason: string, members: readonly Known[]): string {
  return cannotBegin('cluster', reason, members.map(describe));
}

function isAnswered(member: Known): member is Answered {
  return member.state !== undefined;
}

const isUp = ({ state }: Answered): boolean => state.unit === 'active' && state.listens;
const isStarting = ({ state }: Answered): boolean => /^(?:de)?activating$|^reloading$/.test(state.unit);

/** It runs, or ran, as a server of its own: what it has noted of a cluster is of before. */
const isOutside = ({ state, outside }: Answered): boolean =>
  (state.unit === 'active' && !state.listens) || state.isReplica || parseOutside(outside) !== undefined;

const isSame = (one: string, other: string): boolean =>
  one.replaceAll(/\s/g, '') === other.replaceAll(/\s/g, '');

/** A replica that has what the primary lacks, which nobody has given up. */
function losing(holders: readonly Answered[], first: string): { name: string; gtids: string } | undefined {
  const primary = parseOutside(holders.find(({ host }) => host.name === first)?.outside);
  if (primary === undefined) return undefined;
  return holders
    .filter(({ host }) => host.name !== first)
    .map(({ host, outside, discard = '' }) => {
      const replica = parseOutside(outside);
      const gtids = replica === undefined ? '' : surelyErrant(replica, primary);
      return { name: host.name, gtids: isSame(gtids, discard) ? '' : gtids };
    })
    .find(({ gtids }) => gtids !== '');
}

/** Of those that have data of one cluster the one that has most; undefined where that is not known. */
function mostRecent(holders: readonly Answered[], first: string): Answered | undefined {
  const last = holders.filter(({ state }) => state.isLast);
  if (last.length === 1) return last[0];
  const seqnos = holders.map(({ state }) => state.seqno ?? -1);
  if (seqnos.includes(-1)) return undefined;
  const best = holders.filter(({ state }) => state.seqno === Math.max(...seqnos));
  return best.find(({ host }) => host.name === first) ?? best[0];
}

/**
 * How the member `self` starts, from what all members have answered at the same time, while this run has them locked.
 * One begins a cluster only where every member has answered, none is in one, and it holds all that the others hold.
 * `first` begins where nobody has data of a cluster: its databases become those of all.
 */
export function startOf(self: string, first: string, members: readonly Member[]): Start {
  const known = members.map((member): Known => ({
    ...member,
    state: member.answer === undefined ? undefined : parseGaleraState(member.answer),
  }));
  const answered = known.filter(isAnswered);
  const withData = answered.filter(({ hasData }) => hasData);
  // What it has that the cluster lacks is compared when it joins.
  if (withData.some(isUp)) return { kind: 'join' };
  const uncertain = (reason: string): Start => ({ kind: 'join or say', reason: withTable(reason, known) });
  const refuse = (reason: string): Start => ({ kind: 'refuse', reason: withTable(reason, known) });
  const missing = known.filter((member) => !isAnswered(member));
  if (missing.length > 0) {
    return uncertain(
      `${unknownWithout(missing)}. If one of them is gone for good, take it out of the inventory`,
    );
  }
  const starting = withData.filter((member) => isStarting(member) && member.host.name !== self);
  if (starting.length > 0)
    return uncertain(`${namesOf(starting)} is starting. Run apply again when it is done`);
  const holding = answered.filter(
    ({ hasData, state }) => !hasData && state.unit === 'active' && state.hasView,
  );
  if (holding.length > 0) {
    return refuse(
      `the arbitrator on ${namesOf(holding)} holds the cluster without data, and no server can join that. ` +
        `Run "systemctl stop garb" there, then apply, which starts it again`,
    );
  }
  const holders = withData.filter((member) => member.state.uuid !== undefined && !isOutside(member));
  const clusters = new Set(holders.map(({ state }) => state.uuid));
  if (clusters.size > 1) {
    return refuse(
      'the members have data of different clusters. Decide which one counts, and empty the data folder of the others',
    );
  }
  if (holders.length === 0) {
    const others = withData.filter(
      ({ host, state }) => host.name !== first && state.databases.length > 0 && !state.isReplica,
    );
    if (others.length > 0) {
      return refuse(
        `joining would replace the databases of ${namesOf(others)} by a copy of those of ${first}. Dump and drop them, or set mysql_primary`,
      );
    }
    const loser = losing(withData, first);
    if (loser !== undefined) return refuse(lossOf(loser.name, first, loser.gtids));
    const { answer = '' } = members.find(({ host }) => host.name === first) ?? {};
    return self === first ? { kind: 'begin', of: answer, data: 'none' } : { kind: 'join' };
  }
  const best = mostRecent(holders, first);
  if (best === undefined) {
    return uncertain(
      'which member has the last transaction is not known yet. This start has found out for its own host: run apply again',
    );
  }
  return best.host.name === self
    ? { kind: 'begin', of: best.answer ?? '', data: 'of the cluster' }
    : { kind: 'join' };
}

/** Until it has all that the others have: they may stop only then. */
const becomeSynced = sh`n=0
until [ "$(hw_status local_state)" = 4 ]; do
  n=$((n + 1))
  if [ "$n" -gt 120 ]; then printf 'it is %s, not synced with the cluster\n' "$(hw_status local_state_comment)" >&2; exit 1; fi
  sleep 1
done`;

/** Nothing else opens a member, or makes its commits wait for a replica that has become a member. */
const withoutOpener = sh`if systemctl --quiet is-enabled ${opener} 2>/dev/null; then
  : >"$HW/opener"
  systemctl disable --quiet --now ${opener}
fi
: >"$HW/begun"`;

/** The second call, after the files were restored: it is what it was before. */
const asBefore = sh`if [ -e "$HW/begun" ]; then
  [ ! -e "$HW/opener" ] || systemctl enable --quiet ${opener}
  systemctl restart mariadb.service
  exit
fi`;

/** What was decided by must still be so, or nothing is done. `state` prints what `of` is. */
function begin({ of, data }: Extract<Start, { kind: 'begin' }>, state: Script): Script {
  const isNew = data === 'none';
  return sh`${isNew ? asBefore : sh``}
${galeraFolder}
found=$(${state})
if [ "$found" != ${of.trimEnd()} ]; then
  echo 'a cluster cannot be begun: this host is not as it was when that was decided. Run apply again' >&2
  exit 1
fi
${isNew ? withoutOpener : sh``}
systemctl stop mariadb.service
${isNew ? forgetCluster : sh`sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$folder/grastate.dat"`}
galera_new_cluster`;
}

/**
 * A restart of the only member with data would end the cluster: an arbitrator would hold it without data, and no
 * server could join that. The second call, after the files were restored, finds nothing to be done.
 */
const notTheLast = sh`if [ -e "$HW/stays" ]; then exit 0; fi
if [ "$(hw_status cluster_status)" = Primary ] && [ "$(hw_status incoming_addresses | tr , '\n' | grep -c :)" -lt 2 ]; then
  : >"$HW/stays"
  echo 'cannot restart the only member of the cluster that has data, which would end the cluster: start another one first' >&2
  exit 1
fi`;

/** What joins gets a copy of all data where it has none, or others. */
function join(host: string, { holder, discard }: Joining, orSay: Script): Script {
  return lines([
    notTheLast,
    ...(holder === undefined ? [] : [compareFirst(host, holder, discard), forgetOutside]),
    sh`systemctl restart mariadb.service ${orSay}`,
    becomeSynced,
  ]);
}

const forgetOutside = sh`if [ "$outside" = yes ]; then
  systemctl stop mariadb.service
  ${forgetCluster}
fi`;

/** Whom a server is compared with that has run outside; none where there is no other. */
export interface Joining {
  readonly holder: Holder | undefined;
  readonly discard: string | undefined;
}

/** The command of a start. `state` prints what was observed. */
export function startCommand(host: string, start: Start, state: Script, joining: Joining): Script {
  switch (start.kind) {
    case 'refuse':
      return sh`if [ -e "$HW/stays" ]; then systemctl is-active --quiet mariadb.service; exit; fi
: >"$HW/stays"
printf '%s\n' ${start.reason} >&2
exit 1`;
    case 'begin':
      return lines([sql, begin(start, state), becomeSynced]);
    case 'join':
      return lines([sql, join(host, joining, sh``)]);
    case 'join or say':
      return lines([sql, join(host, joining, sh`|| { printf '%s\n' ${start.reason} >&2; exit 1; }`)]);
    default:
      return start satisfies never;
  }
}
