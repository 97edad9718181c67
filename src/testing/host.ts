import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { down, up } from '../lab/lab.ts';
import { hostAddresses, labSettings } from '../lab/settings.ts';
import { knownHosts, userKey } from '../lab/ssh.ts';
import { createConnect } from '../transport/connect.ts';
import { askOne } from '../transport/ask.ts';
import { askBy, type Root } from './root.ts';

const quiet = (): void => undefined;

/** Which worker this is of a test runner that runs files side by side, from 1. */
const worker = ((Number(process.env['VITEST_POOL_ID'] ?? process.env['JEST_WORKER_ID'] ?? 1) - 1) % 50) + 1;

/**
 * A booted bare Debian 13 on this machine, for what needs a running systemd: `web1` of a lab of its own, which `close`
 * takes down. Needs what `hostwright lab up` needs, and takes some 10 s. Each worker of vitest or Jest has a lab of its
 * own; with other runners, tests that run side by side each need a `name` and a `subnet`.
 */
export async function openHost({
  name = `test${worker}`,
  subnet = `10.213.${200 + worker}`,
} = {}): Promise<Root> {
  const settings = labSettings({ HOSTWRIGHT_LAB: name, HOSTWRIGHT_LAB_SUBNET: subnet });
  const inventory = await mkdtemp(join(tmpdir(), 'hostwright-inventory.'));
  // What an ended run has left behind would not be bare.
  await down(settings, { purge: false }, quiet);
  await up(settings, { hosts: 1 }, { progress: quiet, environment: {}, inventory });
  const transport = await createConnect()({
    host: 'web1',
    address: hostAddresses(settings, 1).address,
    user: 'admin',
    privateKeyFile: userKey(settings),
    become: true,
    sshArgs: `-o UserKnownHostsFile=${knownHosts(settings)}`,
  });
  const run: Root['run'] = async (script, stdin) =>
    askOne(transport, stdin === undefined ? { script } : { script, stdin }, { timeout: 120_000 });
  return {
    run,
    ask: askBy(run),
    close: async () => {
      await transport.close();
      await down(settings, { purge: false }, quiet);
      await rm(inventory, { recursive: true });
    },
  };
}
