import {
  HostwrightError,
  lines,
  sh,
  type ActionContext,
  type ActionHost,
  type ActionPlan,
  type Answer,
  type Cell,
  type Script,
  type Site,
} from 'hostwright';
import { arbitrators } from '../galera/cluster.ts';
import { backupColumns } from './backup-status.ts';
import { isUnreachable } from './server-state.ts';
import { runStatements, sqlFunction, statements } from './sql.ts';
import type { Variables } from './variables.ts';

type Server = ActionHost<Variables>;

/** What a member says of itself and of its cluster. */
export interface GaleraServer {
  /** It is in no cluster: its settings say so, or it is a replica yet. */
  readonly isAlone: boolean;
  readonly readOnly: boolean;
  /** The cluster that it is in; members of two clusters differ. */
  readonly cluster: string;
  readonly hasMajority: boolean;
  /** `Synced`, `Donor/Desynced`, `Joined`: what it is in the cluster. */
  readonly state: string;
  /** Members that it sees, those without data too. */
  readonly size: number;
  /** Transactions that it has received and not applied. */
  readonly queue: number;
  /** The last transaction of the cluster that it has. */
  readonly last: number;
}

export interface SeenInCluster {
  readonly host: Server;
  /** Without one `silence` says why it says nothing. */
  readonly server: GaleraServer | undefined;
  readonly silence: 'down' | 'unreachable' | undefined;
}

type Answered = SeenInCluster & { readonly server: GaleraServer };

export function isOfGalera({ vars }: Server): boolean {
  return vars.mysql_topology === 'group' && vars.mysql_flavor === 'mariadb';
}

// A member without a majority refuses what reads tables.
const question = statements(
  "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on', 'read_only')",
  "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'",
);

const ask: Script = lines([
  sqlFunction('mariadb'),
  sh`if printf '%s' ${question} | hw_sql --skip-column-names >"$HW/rows" 2>"$HW/words"; then cat "$HW/rows"; else echo down; fi`,
]);

/** What the server of a host has said; undefined where it did not answer. */
export function parseGaleraServer(output: string): GaleraServer | undefined {
  const rows = new Map(
    output.split('\n').map((line): [string, string] => {
      const [name = '', value = ''] = line.split('\t');
      return [name.toLowerCase(), value];
    }),
  );
  const word = (name: string): string => rows.get(name) ?? '';
  if (!rows.has('wsrep_on')) return undefined;
  return {
    isAlone: word('wsrep_on') !== 'ON',
    readOnly: word('read_only') === 'ON',
    cluster: word('wsrep_cluster_state_uuid'),
    hasMajority: word('wsrep_cluster_status') === 'Primary' && word('wsrep_ready') === 'ON',
    state: word('wsrep_local_state_comment'),
    size: Number(word('wsrep_cluster_size')),
    queue: Number(word('wsrep_local_recv_queue')),
    last: Number(word('wsrep_last_committed')),
  };
}

async function see(host: Server): Promise<SeenInCluster> {
  try {
    const server = parseGaleraServer(await host.run(ask, { timeout: 60 }));
    return { host, server, silence: server === undefined ? 'down' : undefined };
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { host, server: undefined, silence: 'unreachable' };
  }
}

const seeAll = (hosts: readonly Server[]): Promise<readonly SeenInCluster[]> => Promise.all(hosts.map(see));

const inCluster = (one: SeenInCluster): one is Answered =>
  one.server !== undefined && !one.server.isAlone && one.server.hasMajority;

/** What the check for proxies says yes to. */
const mayWrite = (one: SeenInCluster): boolean =>
  inCluster(one) && !one.server.readOnly && /^(?:Synced|Donor)/.test(one.server.state);

/** The one that proxies prefer. */
function preferredOf(hosts: readonly Server[]): string | undefined {
  return hosts.flatMap(({ vars }) => vars.mysql_primary ?? [])[0] ?? hosts[0]?.name;
}

/** The one that proxies send writes to. */
function writerOf(all: readonly SeenInCluster[]): SeenInCluster | undefined {
  const able = all.filter(mayWrite);
  return able.find(({ host }) => host.name === preferredOf(all.map((one) => one.host))) ?? able[0];
}

function stateWord(one: SeenInCluster, all: readonly SeenInCluster[]): string {
  if (one.server === undefined) return one.silence ?? 'down';
  if (one.server.isAlone) return 'in no cluster';
  if (!one.server.hasMajority) return 'cut off';
  if (one.server.readOnly) return 'read-only';
  if (!mayWrite(one)) return 'not in step';
  return one === writerOf(all) ? 'writes' : 'ready';
}

function names(all: readonly SeenInCluster[]): string {
  return all.map(({ host }) => host.name).join(' and ');
}

/** How many members there should be, those that only vote too. */
function countMembers(hosts: readonly Server[], site: Pick<Site, 'hosts'>): number {
  return new Set([...hosts, ...arbitrators(site)].map(({ name }) => name)).size;
}

/** What a person should look at, in sentences. */
function remarksOf(all: readonly SeenInCluster[], count: number): readonly string[] {
  const members = all.filter(inCluster);
  const [first] = members;
  const writer = writerOf(all);
  const preferred = preferredOf(all.map(({ host }) => host));
  const clusters = new Set(members.map(({ server }) => server.cluster));
  return [
    ...(writer === undefined ? ['no server takes writes'] : []),
    ...(clusters.size > 1
      ? [`${names(members)} are in different clusters: what they write apart cannot be merged`]
      : []),
    ...(first === undefined
      ? [
          'no server is in a cluster with a majority: run `hostwright apply`, which begins one where that is safe',
        ]
      : []),
    ...(first !== undefined && first.server.size < count
      ? [
          `${first.server.size} of ${count} members are in the cluster: the loss of one more may end the writes`,
        ]
      : []),
    ...(writer !== undefined && writer.host.name !== preferred
      ? [`${writer.host.name} takes the writes until ${preferred} is back`]
      : []),
  ];
}

export async function galeraStatus({ hosts, site }: ActionContext<Variables>): Promise<Answer> {
  const [all, ofBackups] = await Promise.all([seeAll(hosts), backupColumns({ hosts, site })]);
  return {
    rows: all.map((one): Readonly<Record<string, Cell>> => {
      const { host, server } = one;
      return {
        host: host.name,
        state: stateWord(one, all),
        'in the cluster': server === undefined || server.isAlone ? null : server.state,
        members: server === undefined || server.isAlone ? null : server.size,
        'last transaction': server === undefined || server.isAlone ? null : server.last,
        'to apply': server === undefined || server.isAlone ? null : server.queue,
        ...Object.fromEntries(ofBackups.map(({ heading, cell }) => [heading, cell({ host })])),
      };
    }),
    remarks: remarksOf(all, countMembers(hosts, site)),
  };
}

function refuse(host: Server, message: string, hint: string): HostwrightError {
  return new HostwrightError('E_REFUSED', message, { place: { host: host.name }, hint });
}

/** The proxies prefer it from the apply on; until that only one that can take writes is looked for. */
function afterwards(
  host: Server,
  all: readonly SeenInCluster[],
): Pick<ActionPlan, 'sets' | 'apply' | 'verify'> {
  const without = all.filter(({ silence }) => silence === 'unreachable').map((one) => one.host.name);
  return {
    sets: [{ name: 'mysql_primary', value: host.name, group: 'db' }],
    apply: { roles: ['mysql', 'database_proxy', 'backup', 'app', 'monitoring_server'], without },
    verify: async () => {
      if (mayWrite(await see(host))) return `${host.name} takes the writes`;
      throw new HostwrightError('E_REMOTE', `${host.name} should take writes`, {
        place: { host: host.name },
        hint: '`hostwright do mysql status` shows all servers',
      });
    },
  };
}

/** Without a majority: it goes on alone by a person's word. */
function goOnAlone(host: Server, all: readonly SeenInCluster[]): ActionPlan {
  const others = all.filter((one) => one.host.name !== host.name);
  const answering = others.filter(({ server }) => server !== undefined);
  if (answering.length > 0) {
    const hint = 'repair the network between them (port 4567): they find each other by themselves';
    throw refuse(host, `${host.name} has no majority, and ${names(answering)} answers too`, hint);
  }
  return {
    steps: [
      {
        host: host.name,
        title: 'go on alone with what it has',
        run: async () => {
          await host.run(runStatements('mariadb'), {
            stdin: statements("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'"),
          });
          await host.run(sh`n=0
until HOME=/nonexistent mariadb --no-defaults --protocol=socket --user=root -BNe "SHOW GLOBAL STATUS LIKE 'wsrep_ready'" | grep -q ON; do
  n=$((n + 1))
  if [ "$n" -gt 60 ]; then echo 'it takes no statements' >&2; exit 1; fi
  sleep 0.5
done`);
        },
        isFinal: true,
      },
    ],
    remarks: others.map(
      (one) =>
        `${one.host.name} ${one.silence === 'down' ? 'runs no server that answers' : 'cannot be reached'}`,
    ),
    consent: {
      question: `Are ${names(others)} dead, and is no other member (an arbitrator too) in a cluster with them? If they are in one, there will be two, whose data cannot be merged.`,
      word: others.map((one) => one.host.name).join(','),
      argument: 'yesItIsDead',
    },
    ...afterwards(host, all),
  };
}

/** Has the proxies prefer a member of its cluster; where there is no majority, it goes on alone. */
export async function promoteInGalera(
  host: Server,
  hosts: readonly Server[],
  isDead: boolean,
): Promise<ActionPlan> {
  const all = await seeAll(hosts);
  const target = all.find((one) => one.host.name === host.name);
  if (target?.server === undefined || target.server.isAlone) {
    const problem = target?.server === undefined ? 'does not answer' : 'is in no cluster';
    throw refuse(host, `the server of ${host.name} ${problem}`, 'run `hostwright apply` first');
  }
  if (!inCluster(target)) {
    const other = all.find(inCluster);
    if (other === undefined) return goOnAlone(host, all);
    const hint = 'repair the network between them (port 4567), then run this command again';
    throw refuse(host, `${host.name} is outside of the cluster, in which ${other.host.name} is`, hint);
  }
  if (isDead)
    throw refuse(host, 'there is a cluster with a majority: it goes on by itself', 'remove --yes-it-is-dead');
  if (!mayWrite(target)) {
    const hint = 'wait until it has caught up: `hostwright do mysql status`';
    throw refuse(host, `${host.name} is not in step with its cluster (${target.server.state})`, hint);
  }
  return { steps: [], ...afterwards(host, all) };
}
