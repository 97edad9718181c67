import { action, HostwrightError, z, type ActionHost, type ActionPlan, type ActionStep } from 'hostwright';
import { isOfGalera, promoteInGalera } from './actions-galera.ts';
import { isOfGroup, promoteInGroup } from './actions-group.ts';
import { isWriter, seeAll, type Seen } from './actions-status.ts';
import { lackedBy } from './errant.ts';
import {
  endServer,
  fence,
  follow,
  forgetSource,
  keepsUp,
  letsIn,
  openAgain,
  receiveFrom,
  takeOver,
  takeOverAlone,
  waitForNobody,
  type Fenced,
} from './switch.ts';
import type { Variables } from './variables.ts';

type Server = ActionHost<Variables>;

/** Seconds that a replica may be behind: all of it is waited for while nobody can write. */
const mostLag = 5;

function refuse(host: Server, message: string, hint: string, found?: string): HostwrightError {
  return new HostwrightError('E_REFUSED', message, { place: { host: host.name }, hint, found });
}

const applied = { roles: ['mysql', 'backup', 'app', 'monitoring_server'] };

/** What the declaration says afterwards, and what follows from it. */
function afterwards(host: Server, all: readonly Seen[]): Pick<ActionPlan, 'sets' | 'apply' | 'verify'> {
  const without = all.filter(({ state }) => state.kind === 'unreachable').map((seen) => seen.host.name);
  return {
    sets: [{ name: 'mysql_primary', value: host.name, group: 'db' }],
    apply: { ...applied, without },
    verify: async () => {
      const writers = (await seeAll(all.map((seen) => seen.host)))
        .filter(isWriter)
        .map((seen) => seen.host.name);
      if (writers.length === 1 && writers[0] === host.name) return `${host.name} takes the writes`;
      throw new HostwrightError('E_REMOTE', `${host.name} alone should take writes`, {
        place: { host: host.name },
        found:
          writers.length === 0 ? 'no server takes writes' : `writes are taken by ${writers.join(' and ')}`,
        hint: '`hostwright do mysql status` shows all servers',
      });
    },
  };
}

function followStep(server: Server, primary: Server): ActionStep {
  return { host: server.name, title: `follow ${primary.name}`, run: () => follow(server, primary) };
}

/** A replica that has all, and whose own history holds nothing else. */
function refuseUnfit({ host, state, errant }: Seen, source: Server): void {
  if (state.kind !== 'up' || state.following === undefined) return;
  const { receives, applies, lag, errors } = state.following;
  if (receives !== 'on' || applies !== 'on') {
    const hint = 'run `hostwright apply`, which starts it again, then this command';
    throw refuse(
      host,
      `${host.name} does not follow ${source.name} at the moment`,
      hint,
      errors.join('; ') || undefined,
    );
  }
  if (lag === null || lag > mostLag) {
    const hint = 'wait until it has caught up: `hostwright do mysql status`';
    throw refuse(
      host,
      `${host.name} is behind ${source.name}`,
      hint,
      lag === null ? 'an unknown lag' : `${lag} s`,
    );
  }
  if (errant !== undefined && errant !== '') {
    const hint = `see "Repair of a replica" in roles/mysql/README.md`;
    throw refuse(host, `${host.name} has transactions that ${source.name} lacks`, hint, errant);
  }
}

/** The old server stays closed only where the new one takes writes. */
async function reopen(old: Server, host: Server): Promise<void> {
  const [seen] = await seeAll([host]);
  if (seen !== undefined && isWriter(seen)) {
    throw new HostwrightError(
      'E_REMOTE',
      `${old.name} stays closed, because ${host.name} takes the writes already`,
      {
        place: { host: host.name },
        hint: 'run the same command again: it finishes the switch',
      },
    );
  }
  if (seen?.state.kind !== 'up') {
    throw new HostwrightError(
      'E_REMOTE',
      `${old.name} stays closed: ${host.name} does not answer, and may take writes`,
      {
        place: { host: host.name },
        found: seen?.state.reason,
        hint: `when ${host.name} is back, run the same command again; if it is dead: hostwright do mysql promote ${old.name}`,
      },
    );
  }
  await openAgain(old, host);
}

/** The old server keeps the new one as its source only where that may take writes. */
async function forget(old: Server, host: Server): Promise<void> {
  const [seen] = await seeAll([host]);
  if (seen?.state.kind === 'up' && !isWriter(seen)) await forgetSource(old);
}

function receiveStep(old: Server, host: Server): ActionStep {
  return {
    host: old.name,
    title: `receive from ${host.name}`,
    run: () => receiveFrom(old, host),
    undo: { title: `receive from ${host.name} no more`, run: () => forget(old, host) },
  };
}

/** All that can be done while the old server takes writes is done before it is closed. */
async function planned(target: Seen, old: Seen, all: readonly Seen[]): Promise<ActionPlan> {
  const { host } = target;
  refuseUnfit(target, old.host);
  if (!(await keepsUp(host, old.host, mostLag))) {
    const hint = 'wait until it has caught up: `hostwright do mysql status` shows what is wrong';
    const found = `what ${old.host.name} has is not there within ${mostLag} s`;
    throw refuse(host, `${host.name} is behind ${old.host.name}`, hint, found);
  }
  if (!(await letsIn(host, old.host))) {
    const hint = 'run `hostwright apply`, which makes the account, then this command';
    throw refuse(host, `${old.host.name} has no account by which it could follow ${host.name}`, hint);
  }
  let has: Fenced | undefined;
  // MariaDB goes by the last position of each history, which moves on while it takes writes.
  const isEarly = host.vars.mysql_flavor === 'mysql';
  const steps: readonly ActionStep[] = [
    ...(isEarly ? [receiveStep(old.host, host)] : []),
    {
      host: old.host.name,
      title: 'close it for writes',
      run: async () => {
        has = await fence(old.host);
      },
      undo: { title: `open ${old.host.name} for writes again`, run: () => reopen(old.host, host) },
    },
    {
      host: host.name,
      title: `wait for all of ${old.host.name}, then take writes`,
      run: async () => {
        if (has !== undefined) await takeOver(host, has);
      },
      isFinal: true,
    },
    isEarly
      ? { ...followStep(old.host, host), run: () => waitForNobody(old.host) }
      : followStep(old.host, host),
  ];
  return { steps, ...afterwards(host, all) };
}

function unplanned(target: Seen, old: Seen, all: readonly Seen[]): ActionPlan {
  const { host, state } = target;
  const reason = old.state.kind === 'up' ? '' : old.state.reason;
  const isSemiSync = state.kind === 'up' && state.semiSync === 'on';
  const steps: readonly ActionStep[] = [
    ...(old.state.kind === 'down'
      ? [
          {
            host: old.host.name,
            title: 'stop its server, which does not answer',
            run: () => endServer(old.host),
          },
        ]
      : []),
    {
      host: host.name,
      title: `apply all that was received from ${old.host.name}, then take writes`,
      run: () => takeOverAlone(host),
      isFinal: true,
    },
  ];
  return {
    steps,
    remarks: [
      `${old.host.name} ${old.state.kind === 'down' ? 'runs no server that answers' : 'cannot be reached'}: ${reason}`,
      isSemiSync
        ? `${host.name} confirmed what it received: lost is only what ${old.host.name} has acknowledged after a fallback to asynchronous replication`
        : `what ${old.host.name} has acknowledged and ${host.name} has not received is lost`,
    ],
    consent: {
      question: `Is ${old.host.name} dead, or cut off from all clients? Data that two servers write apart cannot be merged.`,
      word: old.host.name,
      argument: 'yesItIsDead',
    },
    ...afterwards(host, all),
  };
}

/** It takes writes already: what is left of a switch that broke off. */
async function finish({ host }: Seen, all: readonly Seen[]): Promise<ActionPlan> {
  const others = all.filter((seen) => seen.host.name !== host.name && seen.state.kind === 'up');
  const steps = await Promise.all(
    others.map(async ({ host: other, state, source }): Promise<readonly ActionStep[]> => {
      const isDone = source?.name === host.name || state.kind !== 'up' || !state.readOnly;
      // One with transactions of its own is for apply, which says what would be lost.
      if (isDone || (await lackedBy(host, state.executed)) !== '') return [];
      return (await letsIn(host, other)) ? [followStep(other, host)] : [];
    }),
  );
  return { steps: steps.flat(), ...afterwards(host, all) };
}

export const promote = action({
  summary: 'let another host take the writes, planned or because the primary is dead',
  arguments: z.object({
    yesItIsDead: z
      .boolean()
      .default(false)
      .describe('your word that the primary, which cannot be reached, is dead or cut off from all clients'),
  }),
  on: 'host',
  async plan({
    host,
    hosts,
    args,
  }: {
    readonly host: Server;
    readonly hosts: readonly Server[];
    readonly args: { readonly yesItIsDead: boolean };
  }): Promise<ActionPlan> {
    if (isOfGalera(host)) return await promoteInGalera(host, hosts, args.yesItIsDead);
    if (isOfGroup(host)) return await promoteInGroup(host, hosts, args.yesItIsDead);
    const all = await seeAll(hosts);
    const target = all.find((seen) => seen.host.name === host.name);
    if (target?.state.kind !== 'up') {
      throw refuse(
        host,
        `the server of ${host.name} does not answer`,
        'run `hostwright apply` first',
        target?.state.reason,
      );
    }
    const writers = all.filter((seen) => isWriter(seen) && seen.host.name !== host.name);
    if (isWriter(target)) {
      const [other] = writers;
      if (other === undefined) return await finish(target, all);
      const hint = 'stop one of them and compare the data: a replica copies that of its primary';
      throw refuse(host, `${host.name} and ${other.host.name} both take writes`, hint);
    }
    const old = all.find((seen) => seen.host.name === target.source?.name);
    if (old === undefined) {
      throw refuse(
        host,
        `${host.name} follows no server of the site`,
        'run `hostwright apply`, which makes it a replica',
      );
    }
    const stranger = writers.find((seen) => seen.host.name !== old.host.name);
    if (stranger !== undefined) {
      throw refuse(
        host,
        `${stranger.host.name} takes writes, and ${host.name} follows ${old.host.name}`,
        'run `hostwright apply`',
      );
    }
    if (old.state.kind !== 'up') return unplanned(target, old, all);
    if (args.yesItIsDead) {
      throw refuse(old.host, `${old.host.name} answers: it is not dead`, 'remove --yes-it-is-dead');
    }
    return await planned(target, old, all);
  },
});
