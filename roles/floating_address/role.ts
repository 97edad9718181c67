import { basename, dirname } from 'node:path';
import {
  address,
  defineRole,
  directory,
  file,
  HostwrightError,
  pkg,
  service,
  unit,
  user,
  type FloatingAddressDeclaration,
  type Resource,
  type RoleContext,
  type SiteHost,
} from 'hostwright';
import { balancersOf, check, leaveFile } from '../balancers/floating.ts';
import { isCloud, notifyFifo, takeover, takeoverSocket } from './takeover.ts';
import { isIpv6, variables, type Variables } from './variables.ts';

const config = '/etc/keepalived/keepalived.conf';
const options = '/etc/default/keepalived';
const runFolder = dirname(leaveFile);
/** Debian creates no such user, and keepalived would run scripts as root. */
const scriptUser = 'keepalived_script';

/** Ends itself by a signal that it sends to its group after the check of a good file, in Debian 12. */
const validate = ['unshare', '--pid', '--fork', '--mount-proc', 'keepalived', '-t', '-f', config];

/** Debian's unit takes options from here, which would win over its main file. */
const defaults =
  '# Written by Hostwright (role floating_address): no options beside those of the unit.\nDAEMON_ARGS=""\n';

/** What IPv4 addresses of keepalived are called; too long a name of an interface leaves no room for it. */
function labelOf(device: string): string | undefined {
  return device.length > 12 ? undefined : `${device}:lb`;
}

/** Fails where a shared address was added by hand: another host may have it too. */
const ownAddresses = `label=$1; shift
for address; do
  case $(ip -oneline address show to "$address") in
    '' | *"$label"* | *deprecated*) ;;
    *) echo "has $address, which somebody has added by hand"; exit 1 ;;
  esac
done`;

/** The addresses in two parts: VRRP announces those of its own family; the others follow them. */
function byFamily(vars: Variables, host: SiteHost, device: string) {
  const label = labelOf(device);
  const written = (one: string) =>
    isIpv6(one)
      ? { address: `${one}/128`, label: '' }
      : { address: `${one}/32`, label: label === undefined ? '' : ` label ${label}` };
  const isOwn = (one: string): boolean => isIpv6(one) === isIpv6(host.address);
  const own = vars.balancer_address.filter(isOwn);
  if (own.length === 0) {
    throw new HostwrightError(
      'E_VARIABLE',
      'the balancers have addresses of another family than balancer_address',
      {
        place: { host: host.name },
        found: `${host.address}, and ${vars.balancer_address.join(', ')}`,
        expected: `an address of ${isIpv6(host.address) ? 'IPv6' : 'IPv4'} in balancer_address`,
        hint: 'add one, or set private_address of all balancers to addresses of that family',
      },
    );
  }
  return {
    addresses: own.map(written),
    excluded: vars.balancer_address.filter((one) => !isOwn(one)).map(written),
  };
}

/** Removes what an earlier run has made, where the variable is gone. The package stays, which does nothing then. */
function withoutAddress(context: RoleContext<Variables>): readonly Resource[] {
  if (!context.applied(`file:${config}`)) return [];
  const stopped = { needs: ['service:keepalived.service'] as const };
  return [
    ...takeover(context),
    unit('keepalived.service', { dropIn: 'hostwright', absent: true }),
    // It gives the address up.
    service('keepalived', { running: false, enabled: false }),
    file(check, { absent: true }, stopped),
    user(scriptUser, { absent: true }, stopped),
    // The last one: as long as it is there, something may be left.
    file(config, { absent: true }, { needs: [...stopped.needs, `file:${check}`, `user:${scriptUser}`] }),
  ];
}

export default defineRole({
  name: 'floating_address',
  variables,
  declares: ({ vars }): readonly FloatingAddressDeclaration[] =>
    vars.balancer_address.length === 0
      ? []
      : [{ kind: 'floating_address', addresses: vars.balancer_address }],
  listens: ({ host, site }) =>
    balancersOf(host, site)
      .filter((peer) => peer.name !== host.name)
      .map((peer) => ({
        protocol: 'vrrp',
        from: address(peer.address),
        why: 'which balancer has the address of the site',
      })),
  resources: (context) => {
    const { vars, host, facts, site, template, asset } = context;
    if (vars.balancer_address.length === 0) return withoutAddress(context);
    const balancers = balancersOf(host, site);
    const peers = balancers.filter((peer) => peer.name !== host.name).map((peer) => peer.address);
    if (peers.length > 0 && !facts.addresses.includes(host.address)) {
      throw new HostwrightError(
        'E_VARIABLE',
        `${host.name} does not carry the address at which other balancers reach it`,
        {
          place: { host: host.name },
          found: `${host.address}; the host has ${facts.addresses.join(', ')}`,
          hint: 'set private_address of each balancer to one of its own addresses',
        },
      );
    }
    const device = vars.balancer_interface ?? facts.interface;
    const families = byFamily(vars, host, device);
    const content = template('floating_address/keepalived.conf.hbs', {
      ...families,
      notifyFifo: notifyFifo(vars),
      user: scriptUser,
      leave: leaveFile,
      check,
      // Debian 12 takes whole seconds only.
      interval: facts.codename === 'bookworm' ? 1 : 0.5,
      interface: device,
      priority: 254 - balancers.findIndex((one) => one.name === host.name),
      source: host.address,
      peers,
    });
    const needed = [`user:${scriptUser}`, `file:${check}`, `directory:${runFolder}`] as const;
    return [
      pkg('keepalived'),
      ...takeover(context),
      user(scriptUser, { system: true, home: '/nonexistent', shell: '/usr/sbin/nologin' }),
      directory(dirname(check)),
      file(check, { content: asset('haproxy-answers.sh').toString('utf8'), mode: '0755' }),
      // Of the unit; but the check of a first configuration needs it too.
      directory(runFolder),
      file(options, { content: defaults }, { needs: ['package:keepalived'] }),
      file(config, { content }, { needs: needed }),
      unit('keepalived.service', {
        dropIn: 'hostwright',
        content: String(
          template('floating_address/keepalived.service.hbs', {
            folder: basename(runFolder),
            interface: device,
            addresses: [...families.addresses, ...families.excluded],
          }),
        ),
      }),
      service(
        'keepalived',
        {
          reloadOn: [config],
          restartOn: [options],
          validate,
          healthy: ['bash', '-c', ownAddresses, 'own', labelOf(device) ?? device, ...vars.balancer_address],
        },
        { needs: ['service:haproxy.service', ...needed, ...(isCloud(vars) ? [takeoverSocket] : [])] },
      ),
    ];
  },
});
