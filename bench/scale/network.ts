import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { recordInto, type Recording } from './recording.ts';
import { startHost, type SimulatedHost } from './simulated-host.ts';
import type { Transport } from '../../src/transport/transport.ts';

export type Listed = Omit<SimulatedHost, 'close'>;

export interface Login {
  readonly user: string;
  readonly privateKeyFile: string;
}

/** Writes an inventory with these hosts, and the keys by which they are known; gives its path. */
export async function writeInventory(
  folder: string,
  hosts: readonly Listed[],
  { user, privateKeyFile }: Login,
  more = '',
): Promise<string> {
  const known = join(folder, 'known_hosts');
  await writeFile(
    known,
    hosts
      .map(({ address, port, hostKey }) => `${port === 22 ? address : `[${address}]:${port}`} ${hostKey}\n`)
      .join(''),
  );
  const inventory = join(folder, 'hosts.yml');
  const entries = hosts.map(({ name, address, port }) => [
    name,
    { ansible_host: address, ansible_port: port },
  ]);
  const vars = {
    ansible_user: user,
    ansible_become: user !== 'root',
    ansible_ssh_private_key_file: privateKeyFile,
    // The configuration of the person who runs it stays out of it.
    ansible_ssh_common_args: `-F none -o UserKnownHostsFile=${known} -o GlobalKnownHostsFile=none -o IdentityAgent=none ${more}`,
  };
  await writeFile(inventory, stringify({ all: { hosts: Object.fromEntries(entries), vars } }));
  return inventory;
}

export interface Stage {
  readonly folder: string;
  readonly login: Login;
  /** The real host whose answers are kept. */
  readonly transport: Transport;
  /** Runs what is to be recorded against the inventory; it sees one host. */
  readonly run: (inventory: string) => Promise<void>;
}

/** What a real host answers to the requests of a run, taken down by a host that stands in the middle. */
export async function record({ folder, login, transport, run }: Stage): Promise<Recording> {
  const recording: Recording = {};
  const authorized = await readFile(`${login.privateKeyFile}.pub`, 'utf8');
  const surroundings = { authorized, reply: recordInto(recording, transport), visits: [] };
  const host = await startHost({ name: 'between', address: '127.0.0.1' }, surroundings);
  try {
    await run(await writeInventory(folder, [host], login));
  } finally {
    host.close();
  }
  return recording;
}

/** Names and addresses for simulated hosts: `sim1` on 127.0.1.1, on ports of their own. */
export function simulated(count: number): readonly { readonly name: string; readonly address: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `sim${index + 1}`,
    address: `127.0.1.${1 + (index % 250)}`,
  }));
}
