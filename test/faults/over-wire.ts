import { onTestFinished } from 'vitest';
import { openWire, type Wire } from '../lab/wire.ts';
import type { FaultSite } from './recovery.ts';

/** Options of ssh for a run that notices within two seconds that a host went silent. */
export function sshOptions(site: FaultSite, ...more: readonly string[]): readonly string[] {
  const lab = site.hosts.environment['HOSTWRIGHT_LAB'] ?? '';
  const options = [
    `UserKnownHostsFile=/var/lib/hostwright-lab/${lab}/ssh/known_hosts`,
    ...['ServerAliveInterval=1', 'ServerAliveCountMax=2'],
    ...more,
  ];
  const common = options.map((option) => `-o ${option}`).join(' ');
  return ['-e', JSON.stringify({ ansible_ssh_common_args: common })];
}

/** A way to a host that a test can break, and the words for a run that takes it. */
export async function overWire(
  site: FaultSite,
  host: string,
): Promise<{ readonly wire: Wire; readonly words: readonly string[] }> {
  const address = site.hosts.address(host);
  const wire = await openWire({ address, port: 22 });
  onTestFinished(() => wire.close());
  const way = [`HostKeyAlias=${address}`, 'HostName=127.0.0.1', `Port=${wire.port}`];
  return { wire, words: sshOptions(site, ...way) };
}
