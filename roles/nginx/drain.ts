import { action, directory, file, HostwrightError, sh, z, type ActionHost, type Resource } from 'hostwright';

/** Of nginx's own count of connections, on 127.0.0.1. */
export const statusPort = 8081;

/** While it is there the health path answers 404, and balancers send no new requests. Gone after a reboot. */
export const drainFile = '/run/hostwright-drain/web';

/** Web servers see nothing below /run/hostwright, which is root's. */
export function drainFolder(): readonly Resource[] {
  return [
    directory('/run/hostwright-drain', { mode: '0755' }),
    file('/etc/tmpfiles.d/hostwright-drain.conf', {
      content: 'd /run/hostwright-drain 0755 root root -\n',
    }),
  ];
}

const timer = 'hostwright-drain-web';

/** Until every balancer has checked (every 2 s, for 3 s at most); for requests in hand, longer than nginx waits for any. */
const seconds = { noticed: 5, ended: 70 };

type WebServer = ActionHost<unknown>;

type Use = 'serves' | 'drained' | 'down';

/** What a web server is used for; one that cannot be reached serves nobody, as far as anybody knows. */
async function useOf(host: WebServer): Promise<Use> {
  const script = sh`if [ -e ${drainFile} ]; then echo drained
elif systemctl is-active --quiet nginx; then echo serves
else echo down
fi`;
  return z.enum(['serves', 'drained', 'down']).parse((await host.run(script)).trim());
}

async function leave(host: WebServer, minutes: number): Promise<void> {
  await host.run(sh`systemctl stop ${timer}.timer 2>/dev/null || :
systemd-run --quiet --collect --unit=${timer} --on-active=${minutes}min --timer-property=AccuracySec=200ms rm -f ${drainFile}
touch ${drainFile}`);
}

async function join(host: WebServer): Promise<void> {
  await host.run(sh`rm -f ${drainFile}
systemctl stop ${timer}.timer 2>/dev/null || :`);
}

/** Waits until the requests in hand have ended, within limits; gives how many have not. */
async function settle(host: WebServer): Promise<number> {
  const count = `exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /stub_status HTTP/1.0\\r\\n\\r\\n' >&3
awk '/^Reading:/ { print $2 + $4 - 1 }' <&3`;
  const output = await host.run(
    sh`sleep ${seconds.noticed}
end=$(($(date +%s) + ${seconds.ended}))
while left=$(bash -c ${count} count ${statusPort}) && [ "$left" -gt 0 ] && [ "$(date +%s)" -lt "$end" ]; do
  sleep 0.5
done
echo "\${left:-0}"`,
    { timeout: seconds.noticed + seconds.ended + 30 },
  );
  return Number(output);
}

/** Those that answer requests when `host` does not. */
async function others(host: WebServer, hosts: readonly WebServer[]): Promise<readonly WebServer[]> {
  const uses = await Promise.allSettled(hosts.map(async (one) => [one, await useOf(one)] as const));
  return uses.flatMap((one) =>
    one.status === 'fulfilled' && one.value[1] === 'serves' && one.value[0] !== host ? [one.value[0]] : [],
  );
}

export const drain = action({
  summary: 'take a web server out of service: no new requests, those in hand end',
  arguments: z.object({
    minutes: z
      .number()
      .int()
      .min(1)
      .max(1440)
      .default(60)
      .describe('it serves again after so many minutes by itself, and after a reboot'),
    last: z.boolean().default(false).describe('also where no other web server is left'),
  }),
  on: 'host',
  plan: async ({ host, hosts, args }) => {
    const [use, left] = [await useOf(host), await others(host, hosts)];
    if (use === 'down') {
      throw new HostwrightError('E_REFUSED', 'nginx does not run: it gets no requests', {
        place: { host: host.name },
      });
    }
    let running = 0;
    return {
      steps: [
        {
          host: host.name,
          title: `take it out of service, for ${args.minutes} minutes at most`,
          run: () => leave(host, args.minutes),
          undo: { title: 'let it serve again', run: () => join(host) },
        },
        {
          host: host.name,
          title: `wait until its requests have ended, ${seconds.noticed} to ${seconds.noticed + seconds.ended} s`,
          run: async () => {
            running = await settle(host);
          },
        },
      ],
      ...(left.length > 0
        ? {}
        : {
            remarks: ['no other web server is in service: visitors get an error'],
            consent: {
              question: `No web server will be left. ${host.name}, to go on`,
              word: host.name,
              argument: 'last',
            },
          }),
      verify: async () => {
        if ((await useOf(host)) !== 'drained') {
          throw new HostwrightError('E_REFUSED', 'it is in service again', { place: { host: host.name } });
        }
        const rest = running === 0 ? '' : `; ${running} requests of before still run`;
        return `${host.name} gets no new requests${rest}`;
      },
    };
  },
});

export const undrain = action({
  summary: 'let a web server serve again',
  arguments: z.object({}),
  on: 'host',
  plan: async ({ host }) => {
    const use = await useOf(host);
    return {
      steps:
        use === 'drained' ? [{ host: host.name, title: 'let it serve again', run: () => join(host) }] : [],
      verify: async () => {
        const now = await useOf(host);
        if (now === 'serves') return `${host.name} is in service: balancers use it after two health checks`;
        throw new HostwrightError(
          'E_REFUSED',
          now === 'down' ? 'nginx does not run' : 'it is still out of service',
          {
            place: { host: host.name },
          },
        );
      },
    };
  },
});
