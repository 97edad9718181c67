import { sh, type ActionContext, type ActionHost, type BackupDeclaration, type Cell } from 'hostwright';
import { isUnreachable } from './server-state.ts';
import type { Variables } from './variables.ts';

/** The last run of a kind: seconds since then, and its number, see `BackupDeclaration`. */
interface Run {
  readonly age: number;
  readonly number: number;
}

/** What a host has noted of the copies that it makes and of those that it tests. */
export interface Backups {
  readonly copy: Run | undefined;
  readonly test: Run | undefined;
}

/** `now SECONDS`, then `copy SECONDS BYTES` and `test SECONDS 0|1` as far as there are such runs. */
export function parseBackups(output: string): Backups {
  const words = new Map(
    output.split('\n').map((line): [string, readonly number[]] => {
      const [name = '', ...numbers] = line.split(' ');
      return [name, numbers.map(Number)];
    }),
  );
  const [now = 0] = words.get('now') ?? [];
  const run = (name: string): Run | undefined => {
    const [time, number] = words.get(name) ?? [];
    return time === undefined || number === undefined ? undefined : { age: now - time, number };
  };
  return { copy: run('copy'), test: run('test') };
}

async function ask(host: ActionHost<Variables>, record: string): Promise<Backups | undefined> {
  const [copy, test] = [`${record}/last.now`, `${record}/last.test`];
  try {
    return parseBackups(
      await host.run(
        sh`date '+now %s'
[ ! -s ${copy} ] || sed 's/^/copy /' ${copy}
[ ! -s ${test} ] || sed 's/^/test /' ${test}`,
        { timeout: 60 },
      ),
    );
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return undefined;
  }
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** One unit, of which there are at least two. */
function ago(seconds: number): string {
  if (seconds < 2 * minute) return `${Math.max(seconds, 0)} s ago`;
  if (seconds < 2 * hour) return `${Math.floor(seconds / minute)} min ago`;
  if (seconds < 2 * day) return `${Math.floor(seconds / hour)} h ago`;
  return `${Math.floor(seconds / day)} days ago`;
}

/** A column of a table of hosts. */
interface HostColumn {
  readonly heading: string;
  readonly cell: (of: { readonly host: ActionHost<Variables> }) => Cell;
}

/** What the hosts that make copies and test them say of these; none where the site has no backups. */
export async function backupColumns({
  hosts,
  site,
}: Pick<ActionContext<Variables>, 'hosts' | 'site'>): Promise<readonly HostColumn[]> {
  const declared = site.declared<BackupDeclaration>('backup').filter(({ sends, tests }) => sends || tests);
  if (declared.length === 0) return [];
  const all = await Promise.all(
    declared.map(async (one) => {
      const host = hosts.find(({ name }) => name === one.host.name);
      return { ...one, backups: host && (await ask(host, one.record)) };
    }),
  );
  const of = (name: string) => all.find(({ host, backups }) => host.name === name && backups !== undefined);
  return [
    {
      heading: 'last backup',
      cell: ({ host }) => {
        const { sends = false, backups } = of(host.name) ?? {};
        if (!sends) return null;
        return backups?.copy === undefined ? 'none' : ago(backups.copy.age);
      },
    },
    {
      heading: 'last restore test',
      cell: ({ host }) => {
        const { tests = false, backups } = of(host.name) ?? {};
        if (!tests) return null;
        if (backups?.test === undefined) return 'none';
        return `${backups.test.number === 1 ? 'ok' : 'failed'}, ${ago(backups.test.age)}`;
      },
    },
  ];
}
