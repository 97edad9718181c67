import {
  beginGroup,
  countHeld,
  groupState,
  heldAlone,
  HostwrightError,
  isInGroup,
  ownState,
  parseGroupState,
  type ActionHost,
  type ActionPlan,
  type Answer,
  type Cell,
  type GroupServer,
} from 'hostwright';
import { isUnreachable } from './server-state.ts';
import { runStatements, statements } from './sql.ts';
import type { Variables } from './variables.ts';

type Server = ActionHost<Variables>;

/** A host of the group with what its server says; without `server` why it says nothing. */
export interface SeenMember {
  readonly host: Server;
  readonly server: GroupServer | undefined;
  readonly silence: 'down' | 'unreachable' | undefined;
}

export function isOfGroup({ vars }: Server): boolean {
  return vars.mysql_topology === 'group' && vars.mysql_flavor === 'mysql';
}

async function see(host: Server): Promise<SeenMember> {
  try {
    const { server } = parseGroupState(await host.run(groupState, { timeout: 60 }));
    return { host, server, silence: server === undefined ? 'down' : undefined };
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { host, server: undefined, silence: 'unreachable' };
  }
}

export function seeMembers(hosts: readonly Server[]): Promise<readonly SeenMember[]> {
  return Promise.all(hosts.map(see));
}

const inGroup = (one: SeenMember): one is SeenMember & { readonly server: GroupServer } =>
  one.server !== undefined && isInGroup(one.server);

function isWriter(one: SeenMember): boolean {
  return inGroup(one) && one.server.members?.find(({ id }) => id === one.server.uuid)?.role === 'PRIMARY';
}

function names(members: readonly SeenMember[]): string {
  return members.map(({ host }) => host.name).join(' and ');
}

/** Of the group, where there is one: the member that takes the writes, else any. */
function ofGroup(all: readonly SeenMember[]) {
  const members = all.filter(inGroup);
  return members.find(isWriter) ?? members[0];
}

/** GTIDs that the group lacks. */
function ownOf(one: SeenMember, all: readonly SeenMember[]): string | undefined {
  const other = ofGroup(all);
  return one.server === undefined || other === undefined || inGroup(one)
    ? undefined
    : heldAlone(one.server, other.server);
}

function rowOf(one: SeenMember, all: readonly SeenMember[]): Readonly<Record<string, Cell>> {
  const { server } = one;
  const seen = server?.members ?? [];
  const online = seen.filter(({ state }) => state === 'ONLINE').length;
  const own = ownOf(one, all);
  return {
    host: one.host.name,
    state: one.silence ?? (isWriter(one) ? 'writes' : 'read-only'),
    'in the group': server === undefined ? null : ownState(server),
    'online members': server === undefined || !inGroup(one) ? null : `${online} of ${seen.length}`,
    transactions: server === undefined ? null : countHeld(server),
    errant: own === undefined ? null : own === '' ? 'none' : 'some',
  };
}

/** What a person should look at, in sentences. */
function remarksOf(all: readonly SeenMember[]): readonly string[] {
  const members = all.filter(inGroup);
  const writers = all.filter(isWriter);
  const [named] = all.flatMap(({ host }) => host.vars.mysql_primary ?? []);
  const [writer] = writers;
  return [
    ...(members.length === 0
      ? ['no server is in a group: run `hostwright apply`, which begins it where that is safe']
      : []),
    ...(members.length > 0 && 2 * (members.length - 1) <= all.length
      ? [
          `${members.length} of ${all.length} members are in the group: the loss of one more may end the writes`,
        ]
      : []),
    ...(writers.length > 1
      ? [`${names(writers)} both take writes, in two groups: what they write apart cannot be merged`]
      : []),
    ...(writer !== undefined && named !== undefined && named !== writer.host.name
      ? [`${writer.host.name} takes the writes, and the inventory names ${named} as mysql_primary`]
      : []),
    ...all.flatMap((one) => {
      const own = ownOf(one, all) ?? '';
      return own === '' ? [] : [`${one.host.name} has transactions that the group lacks: ${own}`];
    }),
  ];
}

export async function groupStatus(hosts: readonly Server[]): Promise<Answer> {
  const all = await seeMembers(hosts);
  return { rows: all.map((one) => rowOf(one, all)), remarks: remarksOf(all) };
}

function refuse(host: Server, message: string, hint: string, found?: string): HostwrightError {
  return new HostwrightError('E_REFUSED', message, { place: { host: host.name }, hint, found });
}

function afterwards(host: Server, all: readonly SeenMember[]): Pick<ActionPlan, 'sets' | 'apply' | 'verify'> {
  const without = all.filter(({ silence }) => silence === 'unreachable').map((one) => one.host.name);
  return {
    sets: [{ name: 'mysql_primary', value: host.name, group: 'db' }],
    apply: { roles: ['mysql', 'backup', 'app', 'monitoring_server'], without },
    verify: async () => {
      const writers = (await seeMembers(all.map((one) => one.host))).filter(isWriter);
      if (writers.length === 1 && writers[0]?.host.name === host.name) return `${host.name} takes the writes`;
      throw new HostwrightError('E_REMOTE', `${host.name} alone should take writes`, {
        place: { host: host.name },
        found: writers.length === 0 ? 'no server takes writes' : `writes are taken by ${names(writers)}`,
        hint: '`hostwright do mysql status` shows all servers',
      });
    },
  };
}

/** Seconds: for what the writer has to be applied, and for running transactions to end. */
const patience = { applied: 60, running: 3 };

/** Writes wait while a member that takes them applies what it has received: it does most of that before. */
async function takeWrites(
  { host }: SeenMember,
  server: GroupServer,
  all: readonly SeenMember[],
): Promise<void> {
  const executed = ofGroup(all)?.server.executed ?? '';
  await host.run(runStatements('mysql', patience.applied + 90), {
    stdin: statements(
      `DO WAIT_FOR_EXECUTED_GTID_SET('${executed}', ${patience.applied})`,
      `SELECT group_replication_set_as_primary('${server.uuid}', ${patience.running})`,
    ),
    timeout: patience.applied + 120,
  });
}

/** None is in a group: one is begun by a person's word. */
function beginning(
  target: SeenMember,
  server: GroupServer,
  all: readonly SeenMember[],
  isDead: boolean,
): ActionPlan {
  const { host } = target;
  const busy = all.filter(
    (one) => one.server !== undefined && ['ONLINE', 'RECOVERING'].includes(ownState(one.server)),
  );
  if (busy.length > 0) {
    const hint = 'a server that is cut off gives up after ten seconds: run this command again then';
    throw refuse(host, `${names(busy)} waits for a majority of its group`, hint);
  }
  const better = all.find(
    (one) =>
      one.server !== undefined &&
      heldAlone(server, one.server) === '' &&
      heldAlone(one.server, server) !== '',
  );
  if (better !== undefined) {
    const hint = `hostwright do mysql promote ${better.host.name}`;
    throw refuse(host, `${better.host.name} has all that ${host.name} has, and more`, hint);
  }
  const silent = all.filter((one) => one.server === undefined);
  if (silent.length === 0 && isDead) {
    throw refuse(host, 'all servers answer: none is dead', 'remove --yes-it-is-dead');
  }
  const lacking = all.flatMap((one) => {
    const set = one.server === undefined ? '' : heldAlone(one.server, server);
    return set === ''
      ? []
      : [`${host.name} lacks what ${one.host.name} has, which cannot join with it: ${set}`];
  });
  return {
    steps: [
      {
        host: host.name,
        title: 'begin the group again with what it has',
        run: async () => {
          await host.run(beginGroup, { timeout: 200 });
        },
        isFinal: true,
      },
    ],
    remarks: [
      ...silent.map(
        (one) =>
          `${one.host.name} ${one.silence === 'down' ? 'runs no server that answers' : 'cannot be reached'}`,
      ),
      ...lacking,
    ],
    ...(silent.length === 0
      ? {}
      : {
          consent: {
            question: `Is ${names(silent)} dead, or cut off from all others? If it is in a group, there will be two, whose data cannot be merged.`,
            word: silent.map((one) => one.host.name).join(','),
            argument: 'yesItIsDead',
          },
        }),
    ...afterwards(host, all),
  };
}

/** Lets a member take the writes of its group; where there is none, begins it again. */
export async function promoteInGroup(
  host: Server,
  hosts: readonly Server[],
  isDead: boolean,
): Promise<ActionPlan> {
  const all = await seeMembers(hosts);
  const target = all.find((one) => one.host.name === host.name);
  if (target?.server === undefined) {
    throw refuse(host, `the server of ${host.name} does not answer`, 'run `hostwright apply` first');
  }
  const { server } = target;
  if (!inGroup(target)) {
    const other = ofGroup(all);
    if (other === undefined) return beginning(target, server, all, isDead);
    const hint = 'run `hostwright apply`, which makes it join, then this command';
    throw refuse(host, `${host.name} is outside of the group, in which ${other.host.name} is`, hint);
  }
  if (isDead)
    throw refuse(host, 'there is a group with a majority: it goes on by itself', 'remove --yes-it-is-dead');
  return {
    steps: isWriter(target)
      ? []
      : [
          {
            host: host.name,
            title: 'take the writes of the group',
            run: () => takeWrites(target, server, all),
            isFinal: true,
          },
        ],
    ...afterwards(host, all),
  };
}
