import {
  action,
  HostwrightError,
  sh,
  z,
  type ActionHost,
  type ActionPlan,
  type ActionStep,
  type FloatingAddressDeclaration,
  type Site,
} from 'hostwright';
import { balancersOf, check, leaveFile, leftUnit } from '../balancers/floating.ts';
import type { Variables } from './variables.ts';

interface Context {
  readonly host: ActionHost<Variables>;
  readonly hosts: readonly ActionHost<Variables>[];
  readonly site: Pick<Site, 'declared'>;
}

/** A balancer, as far as it can be asked. */
interface Seen {
  readonly host: ActionHost<Variables>;
  /** Why it could not take the address; undefined where it could. */
  readonly unfit: string | undefined;
  readonly hasLeft: boolean;
  readonly hasAddress: boolean;
}

const look = (
  addresses: readonly string[],
) => sh`if [ "$(cat ${leaveFile} 2>/dev/null)" = 1 ]; then echo left; fi
if systemctl is-active --quiet keepalived; then echo runs; fi
if timeout 3 ${check}; then echo answers; fi
for address in ${addresses}; do
  if ip -oneline address show to "$address" | grep -q .; then echo has; fi
done`;

const silent = new Set(['E_CONNECT', 'E_TIMEOUT', 'E_AUTH', 'E_HOST_KEY']);

async function see(host: ActionHost<Variables>, addresses: readonly string[]): Promise<Seen> {
  try {
    const said = new Set((await host.run(look(addresses), { timeout: 30 })).split('\n'));
    const unfit = said.has('left')
      ? 'has left'
      : !said.has('runs')
        ? 'keepalived does not run'
        : said.has('answers')
          ? undefined
          : 'HAProxy does not answer';
    return { host, unfit, hasLeft: said.has('left'), hasAddress: said.has('has') };
  } catch (error) {
    if (!(error instanceof HostwrightError) || !silent.has(error.code)) throw error;
    return { host, unfit: 'cannot be reached', hasLeft: false, hasAddress: false };
  }
}

/** The floating addresses of a host. E_REFUSED where it has none. */
function addressesOf({ host, site }: Context): readonly string[] {
  const declared = site
    .declared<FloatingAddressDeclaration>('floating_address')
    .find((one) => one.host.name === host.name);
  if (declared !== undefined) return declared.addresses;
  throw new HostwrightError('E_REFUSED', `${host.name} shares no address with other balancers`, {
    place: { host: host.name },
    hint: 'set balancer_address, then run `hostwright apply`; with several addresses in the DNS, remove that of the host there',
  });
}

async function seeBalancers(context: Context): Promise<readonly Seen[]> {
  const addresses = addressesOf(context);
  const names = new Set(balancersOf(context.host, context.site).map(({ name }) => name));
  return await Promise.all(
    context.hosts.filter(({ name }) => names.has(name)).map((host) => see(host, addresses)),
  );
}

function leaving(host: ActionHost<Variables>, addresses: readonly string[]): ActionStep {
  return {
    host: host.name,
    title: 'give the address up, and do not take it',
    run: async () => {
      await host.run(sh`systemctl stop ${leftUnit} 2>/dev/null || :
systemd-run --quiet --unit=${leftUnit} --remain-after-exit true
echo 1 >${leaveFile}
tries=0
while for address in ${addresses}; do ip -oneline address show to "$address"; done | grep -q .; do
  tries=$((tries + 1))
  if [ "$tries" -eq 50 ]; then
    echo "keepalived does not give ${addresses} up" >&2
    exit 1
  fi
  sleep 0.1
done`);
    },
    undo: { title: 'take part again', run: () => takePart(host) },
  };
}

async function takePart(host: ActionHost<Variables>): Promise<void> {
  await host.run(sh`rm -f ${leaveFile}
systemctl stop ${leftUnit} 2>/dev/null || :`);
}

/** Another one has the address within some milliseconds; a look at it takes longer than that. */
const looks = 10;

async function verifyLeft(context: Context): Promise<string> {
  let all: readonly Seen[] = [];
  for (let count = 0; count < looks; count += 1) {
    all = await seeBalancers(context);
    const holder = all.find(({ hasAddress }) => hasAddress);
    if (holder !== undefined && holder.host.name !== context.host.name) {
      return `${holder.host.name} has the address, and ${context.host.name} does not take it until it joins or reboots`;
    }
  }
  const isOwn = all.some(({ hasAddress }) => hasAddress);
  throw new HostwrightError('E_REMOTE', `no other balancer has taken the address of ${context.host.name}`, {
    place: { host: context.host.name },
    found: isOwn ? `${context.host.name} has it` : 'no balancer has it',
    hint: `\`journalctl -u keepalived\` on the balancers; \`hostwright do haproxy join ${context.host.name}\``,
  });
}

export const leave = action({
  summary: 'give the address of the balancers to another one, until the host joins again or reboots',
  arguments: z.object({}),
  on: 'host',
  async plan(context: Context): Promise<ActionPlan> {
    const { host } = context;
    const all = await seeBalancers(context);
    const own = all.find((one) => one.host.name === host.name);
    const others = all.filter((one) => one.host.name !== host.name);
    if (!others.some(({ unfit }) => unfit === undefined)) {
      throw new HostwrightError('E_REFUSED', `no other balancer can take the address of ${host.name}`, {
        place: { host: host.name },
        found: others.map((one) => `${one.host.name} ${one.unfit ?? ''}`).join(', ') || 'there is no other',
        hint: 'run `hostwright apply`, or let another one join first: `hostwright do haproxy join HOST`',
      });
    }
    if (own?.unfit === 'cannot be reached') await host.run(sh`:`);
    return {
      steps: own?.hasLeft === true ? [] : [leaving(host, addressesOf(context))],
      remarks: own?.hasAddress === true ? ['the address moves: open connections of visitors are reset'] : [],
      verify: () => verifyLeft(context),
    };
  },
});

export const join = action({
  summary: 'let a balancer that has left take the address again when it is needed',
  arguments: z.object({}),
  on: 'host',
  async plan(context: Context): Promise<ActionPlan> {
    const { host } = context;
    const addresses = addressesOf(context);
    const own = await see(host, addresses);
    if (own.unfit === 'cannot be reached') await host.run(sh`:`);
    return {
      steps: own.hasLeft ? [{ host: host.name, title: 'take part again', run: () => takePart(host) }] : [],
      verify: async () => {
        const { unfit, hasAddress } = await see(host, addresses);
        if (unfit === undefined) {
          return hasAddress
            ? `${host.name} has the address`
            : `${host.name} takes the address when the balancer that has it is gone`;
        }
        throw new HostwrightError('E_REMOTE', `${host.name} cannot take the address: ${unfit}`, {
          place: { host: host.name },
          hint: 'run `hostwright apply`',
        });
      },
    };
  },
});
