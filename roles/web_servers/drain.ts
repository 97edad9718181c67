import {
  action,
  beginDrain,
  directory,
  drainFile,
  drainFolder,
  endDrain,
  file,
  HostwrightError,
  settle,
  sh,
  z,
  type ActionHost,
  type Drain,
  type Resource,
  type Script,
} from 'hostwright';
import { webServers } from './all.ts';
import { statusPort, type WebServer } from './server.ts';

/** Asks one after the other, since another one may still run in the place of the one that is declared. */
const ask = `port=$1
shift
while [ $# -gt 1 ]; do
  exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$1" >&3 || exit 1
  found=$(awk "$2" <&3) && [ -n "$found" ] && echo "$found" && exit
  shift 2
done
exit 1`;

/** Prints how many requests a server has in hand, by its own account on a port of 127.0.0.1; fails where it is down. */
export function requestsInHand(
  port: number,
  servers: readonly Pick<WebServer, 'statusPath' | 'inHand'>[],
): Script {
  const questions = servers.flatMap(({ statusPath, inHand }) => [statusPath, inHand]);
  return sh`bash -c ${ask} count ${port} ${questions}`;
}

/** The name of its file; one for whichever web server there is. */
export const drainName = 'web';

/** Longer than any web server waits for an answer. */
export const drainSeconds = z
  .number()
  .int()
  .positive()
  .default(70)
  .describe(
    'seconds that requests in hand may take before a host that is taken out of service is changed; connections that stay open, such as websockets, always take them all, and end when what serves them stops',
  );

/** Balancers notice by the health path, which answers 404 then: they check every 2 s, for 1 s at most. */
export function drainWith(server: WebServer, vars: unknown): Drain {
  const all = [server, ...webServers.filter(({ name }) => name !== server.name)];
  const { drain_seconds: ended } = z.object({ drain_seconds: drainSeconds }).parse(vars);
  return { name: drainName, inHand: requestsInHand(statusPort, all), noticed: 3, ended };
}

/** Also there after a reboot, for the check of the web server. */
export function drainPaths(): readonly Resource[] {
  return [
    directory(drainFolder, { mode: '0755' }),
    file('/etc/tmpfiles.d/hostwright-drain.conf', { content: `d ${drainFolder} 0755 root root -\n` }),
  ];
}

type Host = ActionHost<unknown>;

type Use = 'serves' | 'drained' | 'down';

/** The web server that the host has. */
function serverOf(host: Host): WebServer {
  const { web_server: name } = z.object({ web_server: z.string() }).parse(host.vars);
  return webServers.find((one) => one.name === name) ?? webServers[0];
}

/** E_REFUSED where a host has another web server. */
function refuseOther({ name }: WebServer, host: Host, action: string): void {
  const other = serverOf(host).name;
  if (other === name) return;
  throw new HostwrightError('E_REFUSED', `the web server of ${host.name} is ${other}, not ${name}`, {
    place: { host: host.name },
    hint: `hostwright do ${other} ${action} ${host.name}`,
  });
}

/** What a web server is used for; one that cannot be reached serves nobody, as far as anybody knows. */
async function useOf(host: Host): Promise<Use> {
  const server = serverOf(host);
  const script = sh`if [ -e ${drainFile({ name: drainName })} ]; then echo drained
elif systemctl is-active --quiet ${server.unit}; then echo serves
else echo down
fi`;
  return z.enum(['serves', 'drained', 'down']).parse((await host.run(script)).trim());
}

async function serve(host: Host, drain: Drain): Promise<void> {
  await host.run(endDrain(drain));
}

/** Those that answer requests when `host` does not. */
async function others(host: Host, hosts: readonly Host[]): Promise<readonly Host[]> {
  const uses = await Promise.allSettled(hosts.map(async (one) => [one, await useOf(one)] as const));
  return uses.flatMap((one) =>
    one.status === 'fulfilled' && one.value[1] === 'serves' && one.value[0] !== host ? [one.value[0]] : [],
  );
}

export const drainOf = (server: WebServer) =>
  action({
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
      refuseOther(server, host, 'drain');
      const [use, left] = [await useOf(host), await others(host, hosts)];
      if (use === 'down') {
        throw new HostwrightError('E_REFUSED', `${server.name} does not run: it gets no requests`, {
          place: { host: host.name },
        });
      }
      const drain = drainWith(server, host.vars);
      const longest = drain.noticed + drain.ended;
      let running = 0;
      return {
        steps: [
          {
            host: host.name,
            title: `take it out of service, for ${args.minutes} minutes at most`,
            run: async () => {
              await host.run(beginDrain(drain, args.minutes));
            },
            undo: { title: 'let it serve again', run: () => serve(host, drain) },
          },
          {
            host: host.name,
            title: `wait until its requests have ended, ${drain.noticed} to ${longest} s`,
            run: async () => {
              running = Number(await host.run(settle(drain), { timeout: longest + 30 }));
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

export const undrainOf = (server: WebServer) =>
  action({
    summary: 'let a web server serve again',
    arguments: z.object({}),
    on: 'host',
    plan: async ({ host }) => {
      refuseOther(server, host, 'undrain');
      const use = await useOf(host);
      return {
        steps:
          use === 'drained'
            ? [
                {
                  host: host.name,
                  title: 'let it serve again',
                  run: () => serve(host, drainWith(server, host.vars)),
                },
              ]
            : [],
        verify: async () => {
          const now = await useOf(host);
          if (now === 'serves') return `${host.name} is in service: balancers use it after two health checks`;
          throw new HostwrightError(
            'E_REFUSED',
            now === 'down' ? `${server.name} does not run` : 'it is still out of service',
            {
              place: { host: host.name },
            },
          );
        },
      };
    },
  });
