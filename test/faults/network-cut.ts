import type { TestHosts } from '../lab/hosts.ts';

/** Gives hosts what the cuts below need. */
export async function prepareCuts(hosts: TestHosts, names: readonly string[]): Promise<void> {
  const script =
    'dpkg -s iptables >/dev/null 2>&1 || { apt-get -qq update; apt-get install -qy iptables; } >/dev/null 2>&1';
  await Promise.all(names.map((host) => hosts.shell(host, script)));
}

/** Shell for a host with iptables: nothing comes in or goes out but ssh of this machine; ends by itself. */
export const cutOff = (seconds: number): string => `gate=$(ip -4 route show default | awk '{ print $3 }')
for chain in INPUT OUTPUT; do
  iptables -I $chain -j DROP; iptables -I $chain -i lo -j ACCEPT 2>/dev/null || iptables -I $chain -o lo -j ACCEPT
done
iptables -I INPUT -s "$gate" -j ACCEPT; iptables -I OUTPUT -d "$gate" -j ACCEPT
sleep ${seconds}
iptables -D INPUT -s "$gate" -j ACCEPT; iptables -D OUTPUT -d "$gate" -j ACCEPT
iptables -D INPUT -i lo -j ACCEPT; iptables -D OUTPUT -o lo -j ACCEPT
for chain in INPUT OUTPUT; do iptables -D $chain -j DROP; done`;

/** Shell for a host with iptables: what comes in or goes out between it and an address is lost; ends by itself. */
export function cutLink(
  address: string,
  seconds: number,
  ways: readonly ('in' | 'out')[] = ['in', 'out'],
): string {
  const rules = ways.map((way) => (way === 'in' ? `INPUT -s ${address}` : `OUTPUT -d ${address}`));
  const all = (verb: string): string =>
    rules.map((rule) => `iptables -w -${verb} ${rule} -j DROP`).join('\n');
  return `${all('I')}\nsleep ${seconds}\n${all('D')}`;
}
