import {
  action,
  beginDrain,
  endDrain,
  HostwrightError,
  settle,
  sh,
  z,
  type ActionContext,
  type ActionHost,
  type ActionStep,
  type BackendDeclaration,
  type DatabaseDeclaration,
} from 'hostwright';

type Host = ActionHost<unknown>;

const bootId = sh`cat /proc/sys/kernel/random/boot_id`;

/** What a connection says while a host is away. */
const away = new Set(['E_CONNECT', 'E_TIMEOUT']);

async function idOf(host: Host): Promise<string | undefined> {
  try {
    return await host.run(bootId, { timeout: 15 });
  } catch (error) {
    if (error instanceof HostwrightError && away.has(error.code)) return undefined;
    throw error;
  }
}

async function returned(host: Host, before: string, minutes: number): Promise<void> {
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    const id = await idOf(host);
    if (id !== undefined && id !== before) return;
    await new Promise((done) => setTimeout(done, 1000));
  }
  throw new HostwrightError('E_TIMEOUT', `${host.name} is not back after ${minutes} minutes`, {
    place: { host: host.name },
    hint: 'look at its console',
  });
}

/** Takes it out of service where others serve in its place; a reboot puts it in again. */
function leaving(host: Host, { site }: Pick<ActionContext, 'site'>): readonly ActionStep[] {
  const backends = site.declared<BackendDeclaration>('backend');
  const drain = backends.find((one) => one.host.name === host.name)?.drain;
  if (drain === undefined || backends.every((one) => one.host.name === host.name)) return [];
  const longest = drain.noticed + drain.ended;
  return [
    {
      host: host.name,
      title: `take it out of service, and wait for requests in hand, ${longest} s at most`,
      run: async () => {
        await host.run(beginDrain(drain, 15));
        await host.run(settle(drain), { timeout: longest + 30 });
      },
      undo: {
        title: 'let it serve again',
        run: async () => {
          await host.run(endDrain(drain));
        },
      },
    },
  ];
}

export const reboot = action({
  summary: 'take a host out of service, reboot it, and wait until it is back',
  arguments: z.object({
    minutes: z.number().int().min(1).max(120).default(10).describe('how long it may take to come back'),
  }),
  on: 'host',
  async plan({ host, site, args }) {
    const before = await host.run(bootId);
    const writes = site
      .declared<DatabaseDeclaration>('database')
      .some((one) => one.host.name === host.name && one.role === 'primary');
    return {
      steps: [
        ...leaving(host, { site }),
        {
          host: host.name,
          title: `reboot, back within ${args.minutes} minutes`,
          run: async () => {
            await host.run(sh`systemd-run --quiet --collect --on-active=1 systemctl reboot`);
            await returned(host, before, args.minutes);
          },
          isFinal: true,
        },
        {
          host: host.name,
          title: 'wait until its services have started',
          run: async () => {
            await host.run(sh`timeout 300 systemctl is-system-running --wait || :`, { timeout: 330 });
          },
        },
      ],
      remarks: writes
        ? ['it takes the writes of the databases: promote another server first (`do mysql promote HOST`)']
        : [],
      verify: async () => {
        const failed = await host.run(
          sh`systemctl list-units --failed --plain --no-legend | awk '{ print $1 }'`,
        );
        if (failed === '') return `${host.name} has rebooted`;
        throw new HostwrightError('E_REMOTE', `${host.name} has rebooted, and not all of its services run`, {
          place: { host: host.name },
          found: failed.trim().split('\n').join(', '),
          hint: 'run `hostwright apply`',
        });
      },
    };
  },
});
