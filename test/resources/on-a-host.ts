import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { down, up } from '../../src/lab/lab.ts';
import { hostAddresses, labSettings } from '../../src/lab/settings.ts';
import { knownHosts, userKey } from '../../src/lab/ssh.ts';
import { createConnect } from '../../src/transport/connect.ts';
import { parseSections, sectionsRequest } from '../../src/transport/sections.ts';
import type { Root } from './on-a-root.ts';

const quiet = (): void => undefined;

/** A booted bare host of a lab of its own, for what needs a running systemd; `close` takes the lab down. */
export async function openHost(): Promise<Root> {
  const settings = labSettings({ HOSTWRIGHT_LAB: 'resources', HOSTWRIGHT_LAB_SUBNET: '10.213.91' });
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
  const run: Root['run'] = async (script, stdin) => {
    const answer = await transport.request(
      sectionsRequest([stdin === undefined ? { script } : { script, stdin }], { timeout: 120_000 }),
    );
    const [section] = parseSections('web1', answer, 1);
    if (section === undefined) throw new Error('no answer');
    return section;
  };
  return {
    run,
    ask: async (script) => {
      const answer = await run(script);
      expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
      return answer.stdout.toString('utf8');
    },
    close: async () => {
      await transport.close();
      await down(settings, { purge: false }, quiet);
      await rm(inventory, { recursive: true });
    },
  };
}
