import { sysctl, type Resource, type RoleContext } from 'hostwright';
import type { Variables } from './variables.ts';

type Parameters = Readonly<Record<string, string | number>>;

/** `default` is for interfaces to come, `all` for those that are there. */
function everyInterface(family: 'ipv4' | 'ipv6', parameters: Parameters): Parameters {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) =>
      ['all', 'default'].map((scope) => [`net.${family}.conf.${scope}.${name}`, value]),
    ),
  );
}

/** Nobody on the wire may change our routes or pretend to be a neighbour; as ufw has them too. */
const network: Parameters = {
  'net.ipv4.tcp_syncookies': 1,
  'net.ipv4.icmp_echo_ignore_broadcasts': 1,
  'net.core.somaxconn': 4096,
  ...everyInterface('ipv4', {
    accept_redirects: 0,
    secure_redirects: 0,
    send_redirects: 0,
    accept_source_route: 0,
    // 2: a reply may go out by another interface than the one it answers to.
    rp_filter: 2,
  }),
};

const network6: Parameters = everyInterface('ipv6', { accept_redirects: 0, accept_source_route: 0 });

/** Where IPv6 was in use it stays so; a host that does without it is left alone. */
const usedIpv6: Parameters = everyInterface('ipv6', { disable_ipv6: 0 });

/** Of the machine, which a container shares with others. */
const machine: Parameters = {
  'kernel.dmesg_restrict': 1,
  'kernel.kptr_restrict': 2,
  'kernel.sysrq': 0,
  'fs.protected_fifos': 2,
  'fs.protected_hardlinks': 1,
  'fs.protected_regular': 2,
  'fs.protected_symlinks': 1,
  'fs.suid_dumpable': 0,
};

export function kernel({ vars, facts }: RoleContext<Variables>): readonly Resource[] {
  const parameters: Parameters = {
    ...network,
    ...(facts.ipv6 === 'none' ? {} : network6),
    ...(facts.ipv6 === 'on' ? usedIpv6 : {}),
    ...(facts.container === true ? {} : machine),
    ...vars.base_sysctl,
  };
  return Object.entries(parameters).map(([name, value]) => sysctl(name, { value }));
}
