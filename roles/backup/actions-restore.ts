import {
  action,
  HostwrightError,
  sh,
  z,
  type ActionPlan,
  type DatabaseDeclaration,
  type HostActionContext,
} from 'hostwright';
import { flavorOf } from './parts.ts';
import { keyOf, lastLine, run } from './run.ts';
import { program } from './sender.ts';
import type { Variables } from './variables.ts';

const time = z.iso
  .datetime({ offset: true, error: 'expected a time with its zone, such as 2026-03-01T11:59:00Z' })
  .describe('all that was written before this time is restored: 2026-03-01T11:59:00Z');

const transactions = z
  .string()
  .regex(/^[0-9a-f-]{36}:\d+(-\d+)?(,[0-9a-f-]{36}:\d+(-\d+)?)*$/, 'expected GTIDs of MySQL, UUID:NUMBER')
  .describe('transactions that are left out, such as a DROP TABLE: UUID:NUMBER');

const args = z.object({
  to: time,
  without: transactions.optional(),
  replaceWriter: z.boolean().default(false).describe('replaces the data of a server that takes writes'),
});

type Context = HostActionContext<Variables, z.output<typeof args>>;

/** What there is to restore, and what it would replace. */
interface Outlook {
  readonly copy: string;
  readonly finished: string;
  /** Bytes. */
  readonly bytes: number;
  readonly free: number;
  readonly current: number;
  /** Binary logs that would be replayed at most. */
  readonly logs: number;
  /** When the last one was stored. */
  readonly stored: Date;
  readonly isRunning: boolean;
  readonly takesWrites: boolean;
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
const precisely = (date: Date): string => date.toISOString().replace('.000Z', 'Z');

async function look({ host, args: { to } }: Context): Promise<Outlook> {
  const text = await host.run(sh`${program} look ${to}`, { stdin: keyOf(host) });
  const said = new Map(
    text.split('\n').map((line) => [line.split('=', 1)[0] ?? '', line.replace(/^\w+=/, '')]),
  );
  const word = (name: string): string => said.get(name) ?? '';
  return {
    copy: word('copy'),
    finished: word('finished'),
    bytes: Number(word('bytes')),
    free: Number(word('free')),
    current: Number(word('current')),
    logs: Number(word('logs')),
    stored: new Date(Number(word('stored')) * 1000),
    isRunning: word('running') === 'yes',
    takesWrites: word('writable') === '1',
  };
}

function remarks(context: Context, seen: Outlook): readonly string[] {
  const { host, args: given } = context;
  const isLate = new Date(given.to) > seen.stored;
  return [
    `${seen.copy} (${mebibytes(seen.bytes)}, of ${seen.finished}), and the binary logs from there to ${given.to}${given.without === undefined ? '' : `, without ${given.without}`}`,
    `the data of ${host.name} (${mebibytes(seen.current)}) are set aside in /var/lib/mysql.before-TIME, and stay there`,
    ...(isLate
      ? [
          `the last binary log was stored at ${precisely(seen.stored)}; the servers that answer send theirs first, and what others wrote later is not restored`,
        ]
      : []),
    seen.takesWrites
      ? 'replicas do not follow a server that went back in time: the next apply says what they hold beyond it, and copies them anew by consent (mysql_discard_transactions). Make a copy afterwards: hostwright do backup now'
      : `the next apply of the role mysql makes ${host.name} follow its primary again, with all that the primary has`,
  ];
}

async function plan(context: Context): Promise<ActionPlan> {
  const { host, hosts, site, args: given } = context;
  if (new Date(given.to) > new Date()) {
    throw new HostwrightError('E_REFUSED', 'a time to come cannot be restored', { found: given.to });
  }
  if (given.without !== undefined && flavorOf(host, site) === 'mariadb') {
    throw new HostwrightError('E_REFUSED', 'MariaDB cannot leave a transaction out', {
      place: { host: host.name },
      hint: 'restore to the time before it with --to, and leave out --without',
    });
  }
  const declared = site.declared<DatabaseDeclaration>('database').find((one) => one.host.name === host.name);
  if (declared?.isPreferred !== undefined) {
    const message = `${host.name} is a member of a Galera cluster, which would replace the restored data`;
    throw new HostwrightError('E_REFUSED', message, {
      place: { host: host.name },
      hint: 'docs/databases.md, "Restore a Galera cluster", has the way',
    });
  }
  const seen = await look(context);
  if (seen.free < seen.bytes * 1.1) {
    throw new HostwrightError('E_REFUSED', `${host.name} has no space for the restored data beside its own`, {
      place: { host: host.name },
      found: `${mebibytes(seen.free)} free`,
      expected: mebibytes(seen.bytes * 1.1),
    });
  }
  const said: string[] = [];
  const databases = hosts.filter(({ groups }) => groups.includes('db'));
  return {
    steps: [
      {
        title: 'store the binary logs of the servers that answer',
        run: async () => {
          // A server that is down has nothing to add; what it has stored before is there.
          const send = sh`systemctl start hostwright-backup-logs.service`;
          await Promise.allSettled(databases.map((one) => one.run(send)));
        },
      },
      {
        host: host.name,
        title: `restore ${seen.copy} to ${given.to} on a scratch server, compare it, and start ${host.name} with it`,
        run: async () => {
          const words = given.without === undefined ? [] : [given.without];
          said.push(lastLine(await run(host, 'restore', given.to, ...words)));
        },
      },
    ],
    remarks: remarks(context, seen),
    ...(seen.takesWrites
      ? {
          consent: {
            question: `${host.name} takes writes now; what was written to it after ${given.to} will be gone from it. Its name, to go on`,
            word: host.name,
            argument: 'replaceWriter',
          },
        }
      : {}),
    verify: async () => {
      const now = await look(context);
      if (now.isRunning) return said.join('');
      throw new HostwrightError('E_REMOTE', 'the database does not run', { place: { host: host.name } });
    },
  };
}

export const restore = action({
  summary: 'replace the data of a server by those of a time',
  arguments: args,
  on: 'host',
  plan,
});
