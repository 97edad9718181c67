import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';

export const releases = ['bookworm', 'trixie', 'forky'] as const;
export type Release = (typeof releases)[number];

/** The lab and its place; several labs run side by side on one machine. */
export interface LabSettings {
  /** Lower-case letters, digits and hyphens, at most 10: it is part of interface names. */
  readonly name: string;
  /** The first three numbers of an IPv4 /24: `10.213.77`. */
  readonly subnet: string;
  /** Everything of all labs is below this folder. */
  readonly root: string;
}

/** Folders beside those of the labs. */
const sharedNames = new Set(['authority', 'base', 'locks', 'log', 'proxy']);

/** The network of the lab that inventory/lab describes. */
export const defaultSubnet = '10.213.77';

/** From `HOSTWRIGHT_LAB` and `HOSTWRIGHT_LAB_SUBNET`; E_USAGE where they make no sense. */
export function labSettings(environment: Readonly<Record<string, string | undefined>>): LabSettings {
  const name = environment['HOSTWRIGHT_LAB'] ?? 'lab';
  const subnet = environment['HOSTWRIGHT_LAB_SUBNET'] ?? defaultSubnet;
  if (!/^[a-z][a-z0-9-]{0,9}$/.test(name) || sharedNames.has(name)) {
    throw new HostwrightError('E_USAGE', 'invalid lab name', {
      found: `HOSTWRIGHT_LAB=${name}`,
      expected: 'a lower-case letter, then lower-case letters, digits and hyphens, at most 10 characters',
      hint: 'use a short name such as lab2',
    });
  }
  if (!isPrivatePrefix(subnet)) {
    throw new HostwrightError('E_USAGE', 'invalid lab subnet', {
      found: `HOSTWRIGHT_LAB_SUBNET=${subnet}`,
      expected: 'the first three numbers of a private IPv4 network, such as 10.213.77',
      hint: 'use three numbers in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16',
    });
  }
  return { name, subnet, root: '/var/lib/hostwright-lab' };
}

function isPrivatePrefix(subnet: string): boolean {
  const parts = subnet.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return false;
  const [first, second] = parts.map(Number);
  if (first === undefined || second === undefined) return false;
  return first === 10 || (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168);
}

export const bridgeName = (settings: LabSettings): string => `hwl-${settings.name}`;

/** The name of a host among all containers of the machine. */
export const machineName = (settings: LabSettings, host: string): string => `${settings.name}-${host}`;

/** The machine's own address on the bridge, where the proxy, the name server and the ACME CA listen. */
export const machineAddress = (settings: LabSettings): string => `${settings.subnet}.1`;

/** The unique local IPv6 /64 of the lab, without its last colon: `fd12:3456:789a:`. */
function prefix6({ name, subnet }: LabSettings): string {
  const digits = createHash('sha256').update(`${name} ${subnet}`).digest('hex');
  return `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6, 10)}:`;
}

export const machineAddress6 = (settings: LabSettings): string => `${prefix6(settings)}:1`;

/** IPv4 and IPv6 address of the host with this number: 1 is web1 with .11. */
export function hostAddresses(settings: LabSettings, number: number): { address: string; address6: string } {
  return { address: `${settings.subnet}.${10 + number}`, address6: `${prefix6(settings)}:${10 + number}` };
}

/** The folders of one lab. */
export function labFolders(settings: LabSettings) {
  const home = join(settings.root, settings.name);
  return {
    home,
    hosts: join(home, 'hosts'),
    ssh: join(home, 'ssh'),
    acme: join(home, 'acme'),
    run: join(home, 'run'),
    inventory: join(home, 'inventory'),
    /** Kept after `down`, for debugging. */
    log: join(settings.root, 'log', settings.name),
  };
}

/** The folders that all labs of the machine share. */
export function sharedFolders({ root }: LabSettings) {
  return {
    base: join(root, 'base'),
    authority: join(root, 'authority'),
    proxy: join(root, 'proxy'),
    locks: join(root, 'locks'),
  };
}
