import { acmeDirectory, acmeReady } from './acme.ts';
import { dnsAddress, dnsReady } from './dns.ts';
import { hostRecord } from './host.ts';
import { startedAt } from './process.ts';
import { proxyAddress, proxyReady } from './proxy.ts';
import { hostAddresses, labFolders } from './settings.ts';
import type { LabSettings } from './settings.ts';
import { sshGreets } from './ssh.ts';
import { readState, standing } from './state.ts';

export interface LabStatus {
  readonly name: string;
  readonly subnet: string;
  /** All hosts answer and all services run. */
  readonly up: boolean;
  readonly inventory: string;
  readonly hosts: readonly {
    readonly name: string;
    readonly release: string;
    readonly address: string;
    readonly address6: string;
    /** ISO 8601; null when it does not run. */
    readonly runningSince: string | null;
    readonly ssh: boolean;
  }[];
  readonly services: readonly { readonly name: string; readonly address: string; readonly ready: boolean }[];
}

/** What runs of the lab now. Changes nothing; a lab that does not exist has no hosts and is not up. */
export async function status(asked: LabSettings): Promise<LabStatus> {
  const state = await readState(asked);
  const settings = standing(asked, state);
  const hosts = await Promise.all(
    (state?.hosts ?? []).map(async ({ name, release, number }) => {
      const { address, address6 } = hostAddresses(settings, number);
      const since = await startedAt(hostRecord(settings, name));
      const ssh = since !== undefined && (await sshGreets(address));
      return { name, release, address, address6, runningSince: since?.toISOString() ?? null, ssh };
    }),
  );
  const services = await Promise.all([
    proxyReady(settings).then((ready) => ({ name: 'proxy', address: proxyAddress(settings), ready })),
    acmeReady(settings).then((ready) => ({ name: 'acme', address: acmeDirectory(settings), ready })),
    dnsReady(settings).then((ready) => ({ name: 'dns', address: dnsAddress(settings), ready })),
  ]);
  return {
    name: settings.name,
    subnet: `${settings.subnet}.0/24`,
    up: state !== undefined && hosts.every(({ ssh }) => ssh) && services.every(({ ready }) => ready),
    inventory: labFolders(settings).inventory,
    hosts,
    services,
  };
}

/** The status as lines for people. */
export function formatStatus(lab: LabStatus): string {
  if (lab.hosts.length === 0) return `lab "${lab.name}" is down`;
  const hosts = lab.hosts.map(
    ({ name, release, address, address6, runningSince, ssh }) =>
      `${name.padEnd(7)}${release.padEnd(10)}${address.padEnd(16)}${address6.padEnd(22)}${runningSince === null ? 'stopped' : `since ${runningSince}  ssh ${ssh ? 'ready' : 'not ready'}`}`,
  );
  const services = lab.services.map(
    ({ name, address, ready }) =>
      `${name.padEnd(7)}${(ready ? 'ready' : 'stopped').padEnd(10)}${address}${name === 'acme' ? '  (accounts and certificates only in memory)' : ''}`,
  );
  return [
    `lab "${lab.name}" ${lab.up ? 'is up' : 'is partly up: `hostwright lab up` starts the rest'}`,
    ...hosts,
    ...services,
    `inventory ${lab.inventory}`,
  ].join('\n');
}
