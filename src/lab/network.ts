import { z } from 'zod';
import { existsSync } from 'node:fs';
import { HostwrightError } from '../errors.ts';
import { runCommand, tryCommand } from './command.ts';
import { bridgeName, machineAddress, machineAddress6 } from './settings.ts';
import type { LabSettings } from './settings.ts';

const interfaces = z.array(
  z.object({
    ifname: z.string().default(''),
    addr_info: z
      .array(z.object({ local: z.string().optional(), prefixlen: z.number().optional() }))
      .default([]),
  }),
);

/**
 * E_LAB where another interface of the machine has addresses in the subnet, or the bridge has those of
 * another one. Without ip(8) nothing is known yet.
 */
export async function checkSubnet(settings: LabSettings): Promise<void> {
  const bridge = bridgeName(settings);
  const { code, stdout } = await tryCommand('ip', ['-j', '-4', 'address']);
  if (code === 127) return;
  const used = interfaces
    .parse(JSON.parse(stdout))
    .flatMap(({ ifname, addr_info: addresses }) =>
      addresses.flatMap(({ local, prefixlen }) =>
        local === undefined || prefixlen === undefined ? [] : [{ ifname, local, prefixlen }],
      ),
    );
  for (const { ifname, local, prefixlen } of used) {
    const bits = Math.min(prefixlen, 24);
    const overlaps = network(local, bits) === network(machineAddress(settings), bits);
    if (overlaps === (ifname === bridge)) continue;
    throw new HostwrightError(
      'E_LAB',
      overlaps ? `${ifname} already uses the subnet of the lab` : 'the lab runs with another subnet',
      {
        found: `${local}/${prefixlen} on ${ifname}`,
        expected: `${settings.subnet}.0/24 for the lab alone`,
        hint: overlaps
          ? 'set HOSTWRIGHT_LAB_SUBNET to a free one, such as 10.213.78; `ip -4 address` shows those in use'
          : 'use the HOSTWRIGHT_LAB_SUBNET of `lab up`, or another HOSTWRIGHT_LAB for a second lab',
      },
    );
  }
}

function network(address: string, bits: number): number {
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return Math.floor(value / 2 ** (32 - bits));
}

export const bridgeExists = (settings: LabSettings): boolean =>
  existsSync(`/sys/class/net/${bridgeName(settings)}`);

/** Whether the kernel has IPv6; the lab works without it. */
export const hasIpv6 = (): boolean => existsSync('/proc/net/if_inet6');

/** The bridge with the machine's addresses; nothing else of the machine's network changes. */
export async function ensureBridge(settings: LabSettings): Promise<void> {
  const bridge = bridgeName(settings);
  if (!bridgeExists(settings)) await runCommand('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await runCommand('ip', ['address', 'replace', `${machineAddress(settings)}/24`, 'dev', bridge]);
  if (hasIpv6()) {
    await runCommand('ip', ['address', 'replace', `${machineAddress6(settings)}/64`, 'dev', bridge, 'nodad']);
  }
  await runCommand('ip', ['link', 'set', bridge, 'up']);
}

export async function removeBridge(settings: LabSettings): Promise<void> {
  if (bridgeExists(settings)) await tryCommand('ip', ['link', 'delete', bridgeName(settings)]);
}
