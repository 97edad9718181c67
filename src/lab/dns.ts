import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { tryCommand } from './command.ts';
import { awaitProcess, ensureProcess, findProcess } from './process.ts';
import type { ProcessPlan } from './process.ts';
import { answers } from './proxy.ts';
import { hostAddresses, labFolders, machineAddress } from './settings.ts';
import type { LabSettings } from './settings.ts';
import type { LabState } from './state.ts';

// The name server of the hosts and of the ACME CA: pebble-challtestsrv on the bridge. It knows the lab's
// own names; for all others it has no address, and the hosts need none.

const managementPort = 8055;
const record = (settings: LabSettings): string => join(labFolders(settings).run, 'dns');

export const dnsAddress = (settings: LabSettings): string => `${machineAddress(settings)}:53`;

/** Starts it if it does not run, and tells it the names of the lab: it keeps them in memory only. */
export async function ensureDns(settings: LabSettings, state: LabState): Promise<void> {
  const address = machineAddress(settings);
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv4', '', '-defaultIPv6', ''];
  const help = await tryCommand('pebble-challtestsrv', ['-help']);
  // Later versions also serve DNS over HTTPS, on all addresses of the machine unless told.
  if (/^\s+-doh\b/m.test(help.stderr)) off.push('-doh', '');
  const plan: ProcessPlan = {
    title: 'name server',
    record: record(settings),
    log: join(labFolders(settings).log, 'dns.log'),
    command: [
      'pebble-challtestsrv',
      '-dns01',
      dnsAddress(settings),
      '-management',
      `${address}:${managementPort}`,
      ...off,
    ],
  };
  await ensureProcess(plan);
  await awaitProcess(plan, 10_000, () => answers(address, managementPort));
  for (const [name, target] of namesOf(settings, state)) {
    // It adds to what it has of a name.
    for (const [path, record] of [
      ['clear-a', { host: `${name}.` }],
      ['add-a', { host: `${name}.`, addresses: [target] }],
    ] as const) {
      const response = await fetch(`http://${address}:${managementPort}/${path}`, {
        method: 'POST',
        body: JSON.stringify(record),
      });
      if (response.ok) continue;
      throw new HostwrightError('E_LAB', 'the name server rejects a name', {
        found: `${name} → ${target}: ${response.status} ${await response.text()}`,
        hint: 'give names as --domain www.foobar.com=web1',
      });
    }
  }
}

function namesOf(settings: LabSettings, state: LabState): readonly (readonly [string, string])[] {
  const hosts = state.hosts.map(
    ({ name, number }) => [name, hostAddresses(settings, number).address] as const,
  );
  const addresses = new Map(hosts);
  const domains = Object.entries(state.domains).map(
    ([name, target]) => [name, addresses.get(target) ?? target] as const,
  );
  return [...hosts, ...domains];
}

export async function dnsReady(settings: LabSettings): Promise<boolean> {
  return (
    (await findProcess(record(settings))) !== undefined &&
    (await answers(machineAddress(settings), managementPort))
  );
}
