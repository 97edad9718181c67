import { action, HostwrightError, sh, z, type ActionContext, type ActionHost, type Answer } from 'hostwright';
import { partsOf } from './parts.ts';
import { keyOf, lastLine, run } from './run.ts';
import { program } from './sender.ts';
import type { Variables } from './variables.ts';

type Context<Args = unknown> = ActionContext<Variables, Args>;

function named(name: string, hosts: readonly ActionHost<Variables>[]): ActionHost<Variables> {
  const found = hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  throw new HostwrightError('E_REFUSED', 'the site has no backups', {
    hint: 'put a host into the group backup, and hosts with databases into db; roles/backup/README.md has the rest',
  });
}

function senderOf({ hosts, site }: Context): ActionHost<Variables> {
  const [first] = hosts;
  return named(first === undefined ? '' : partsOf(first.vars, site).sender, hosts);
}

export const now = action({
  summary: 'copy the database and store the copy',
  arguments: z.object({}),
  on: 'site',
  plan: (context: Context) => {
    const host = senderOf(context);
    const said: string[] = [];
    return Promise.resolve({
      steps: [
        {
          host: host.name,
          title: 'copy the database, encrypt and store the copy',
          run: async () => {
            said.push(lastLine(await run(host, 'now')));
          },
        },
      ],
      verify: async () => {
        const [copy = ''] = said.flatMap((line) => /\S+\/\d{8}T\d{6}Z/.exec(line)?.[0] ?? []);
        const rows = (await listOn(host)).filter(({ host: from, time }) => `${from}/${time}` === copy);
        if (rows.length === 1) return `stored ${copy}`;
        throw new HostwrightError('E_REMOTE', `the copy ${copy} is not among those that are stored`, {
          place: { host: host.name },
        });
      },
    });
  },
});

interface Row {
  readonly host: string;
  readonly time: string;
  readonly size: string;
  readonly tested: string;
  readonly gtid: string;
}

const mebibyte = 2 ** 20;

async function listOn(host: ActionHost<Variables>): Promise<readonly Row[]> {
  const text = await host.run(sh`${program} list`, { stdin: keyOf(host) });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [from = '', time = '', size = '', tested = '', gtid = ''] = line.split('\t');
      return { host: from, time, size: `${(Number(size) / mebibyte).toFixed(1)} MiB`, tested, gtid };
    });
}

export const list = action({
  summary: 'show the copies that are stored, and which of them a restore test has passed',
  arguments: z.object({}),
  on: 'site',
  read: async (context: Context): Promise<Answer> => {
    const rows = await listOn(senderOf(context));
    return {
      rows: rows.map((row) => ({ ...row })),
      remarks: rows.length === 0 ? ['no copy is stored yet'] : [],
    };
  },
});

const copyName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*\/\d{8}T\d{6}Z$/,
    'expected HOST/TIME, as `hostwright do backup list` shows them',
  );

export const restoreTest = action({
  summary: 'restore a copy on a scratch server, and compare its tables',
  arguments: z.object({ copy: copyName.optional().describe('HOST/TIME; the newest copy unless set') }),
  on: 'site',
  plan: (context: Context<{ readonly copy?: string | undefined }>) => {
    const first = senderOf(context);
    const { tester } = partsOf(first.vars, context.site);
    const host = tester === undefined ? first : named(tester, context.hosts);
    const { copy } = context.args;
    const said: string[] = [];
    return Promise.resolve({
      steps: [
        {
          host: host.name,
          title: `restore ${copy ?? 'the newest copy'} on a scratch server and compare its tables`,
          run: async () => {
            said.push(lastLine(await run(host, 'test', ...(copy === undefined ? [] : [copy]))));
          },
        },
      ],
      verify: () => Promise.resolve(said.join('')),
    });
  },
});
