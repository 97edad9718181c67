import { action, z, type ActionContext, type ActionHost, type Answer, type Cell } from 'hostwright';
import { galeraStatus, isOfGalera } from './actions-galera.ts';
import { groupStatus, isOfGroup } from './actions-group.ts';
import { backupColumns } from './backup-status.ts';
import { lackedBy } from './errant.ts';
import { serverState, type ServerState, type SilentServer } from './server-state.ts';
import type { Variables } from './variables.ts';

/** A server with what is known of it. */
export interface Seen {
  readonly host: ActionHost<Variables>;
  readonly state: ServerState | SilentServer;
  /** The server that it follows, as far as it is one of the site. */
  readonly source: ActionHost<Variables> | undefined;
  /** Transactions that its source lacks; undefined where it follows nobody, or the source does not answer. */
  readonly errant: string | undefined;
}

/** A column of the table. */
export interface Column {
  readonly heading: string;
  readonly cell: (seen: Seen) => Cell;
}

function stateWord({ state }: Seen): string {
  if (state.kind !== 'up') return state.kind;
  if (state.isOffline) return 'offline';
  return state.readOnly ? 'read-only' : 'writes';
}

function lagWord({ state }: Seen): Cell {
  if (state.kind !== 'up' || state.following === undefined) return null;
  const { receives, applies, lag } = state.following;
  if (receives === 'connecting') return 'connecting';
  if (receives === 'off' || applies === 'off') return 'stopped';
  return lag === null ? null : `${lag} s`;
}

function semiSyncWord({ state }: Seen): Cell {
  if (state.kind !== 'up' || state.semiSync === undefined) return null;
  return state.semiSyncClients === 0 ? state.semiSync : `${state.semiSync} (${state.semiSyncClients})`;
}

export const columns: readonly Column[] = [
  { heading: 'host', cell: ({ host }) => host.name },
  { heading: 'state', cell: stateWord },
  {
    heading: 'follows',
    cell: ({ state, source }) =>
      state.kind === 'up' ? (source?.name ?? state.following?.source ?? null) : null,
  },
  { heading: 'lag', cell: lagWord },
  { heading: 'semi-sync', cell: semiSyncWord },
  {
    heading: 'errant',
    cell: ({ errant }) => (errant === undefined ? null : errant === '' ? 'none' : 'some'),
  },
];

export function isWriter({ state }: Seen): boolean {
  return state.kind === 'up' && !state.readOnly && !state.isOffline;
}

function nameOf({ host }: Seen): string {
  return host.name;
}

/** What a person should look at, in sentences. */
export function remarksOf(all: readonly Seen[]): readonly string[] {
  return [...remarksOnWriters(all), ...all.flatMap(remarksOn)];
}

function remarksOnWriters(all: readonly Seen[]): readonly string[] {
  const writers = all.filter(isWriter).map(nameOf);
  const [named] = all.flatMap(({ host }) => host.vars.mysql_primary ?? []);
  return [
    ...(writers.length === 0 ? ['no server takes writes'] : []),
    ...(writers.length > 1
      ? [`${writers.join(' and ')} both take writes: what they write apart is hard to merge`]
      : []),
    ...(writers.length === 1 && named !== undefined && named !== writers[0]
      ? [`${writers[0]} takes the writes, and the inventory names ${named} as mysql_primary`]
      : []),
  ];
}

function remarksOn({ host, state, source, errant = '' }: Seen): readonly string[] {
  if (state.kind !== 'up') return [`${host.name}: ${state.reason}`];
  const lacking = source?.name ?? 'its source';
  return [
    ...(state.following?.errors ?? []).map((error) => `${host.name} ${error}`),
    ...(errant === '' ? [] : [`${host.name} has transactions that ${lacking} lacks: ${errant}`]),
  ];
}

/** Followers with the server that they follow: first all are asked what they have, then the sources what they lack. */
export async function seeAll(hosts: readonly ActionHost<Variables>[]): Promise<readonly Seen[]> {
  const states = await Promise.all(hosts.map(async (host) => ({ host, state: await serverState(host) })));
  return Promise.all(
    states.map(async ({ host, state }): Promise<Seen> => {
      const following = state.kind === 'up' ? state.following : undefined;
      const source = following && states.find((one) => one.host.address === following.source);
      const errant =
        state.kind === 'up' && source?.state.kind === 'up'
          ? await lackedBy(source.host, state.executed)
          : undefined;
      return { host, state, source: source?.host, errant };
    }),
  );
}

export const status = action({
  summary: 'show who takes writes, who follows whom, how far behind, and the last backup',
  arguments: z.object({}),
  on: 'site',
  async read(context: ActionContext<Variables>): Promise<Answer> {
    if (context.hosts.some(isOfGalera)) return await galeraStatus(context);
    if (context.hosts.some(isOfGroup)) return await groupStatus(context.hosts);
    const [all, ofBackups] = await Promise.all([seeAll(context.hosts), backupColumns(context)]);
    const shown = [...columns, ...ofBackups];
    return {
      rows: all.map((seen) => Object.fromEntries(shown.map(({ heading, cell }) => [heading, cell(seen)]))),
      remarks: remarksOf(all),
    };
  },
});
