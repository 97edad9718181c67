import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { cgroupPath, endCgroup, makeCgroup } from './cgroup.ts';
import { lastLines, tryCommand } from './command.ts';
import { ensureProcess, findProcess, stopProcess } from './process.ts';
import type { Progress } from './progress.ts';
import { bridgeName, hostAddresses, labFolders, machineName } from './settings.ts';
import type { LabSettings } from './settings.ts';
import { sshCommand, sshGreets } from './ssh.ts';
import type { LabHost } from './state.ts';
import { waitFor } from './wait.ts';

/** The folders of one host: `upper` is all that was changed on it since it was bare. */
export function hostFolders(settings: LabSettings, host: string) {
  const home = join(labFolders(settings).hosts, host);
  return {
    home,
    seed: join(home, 'seed'),
    upper: join(home, 'upper'),
    work: join(home, 'work'),
    root: join(home, 'root'),
  };
}

export const hostRecord = (settings: LabSettings, host: string): string =>
  join(labFolders(settings).run, host);
const hostLog = (settings: LabSettings, host: string): string =>
  join(labFolders(settings).log, `${host}.log`);

// $1 options of the overlay, $2 its mount point, $3 the cgroup of the host; the rest starts the container.
// All mounts are made in a mount namespace of their own and vanish with it. systemd wants cgroup v2 at
// /sys/fs/cgroup, where the machine may have v1. What nspawn leaves in /run and /tmp vanishes too. With
// --keep-unit it ends with 133 when the host wants to be rebooted, and expects to be started again.
const bootScript = `set -eu
mount -t overlay overlay -o "$1" "$2"
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
group=/sys/fs/cgroup$3
echo $$ > "$group/run/cgroup.procs"
shift 3
while :; do
  status=0
  sh -c 'echo $$ > "$1/machine/cgroup.procs"; shift; exec "$@"' sh "$group" "$@" || status=$?
  [ "$status" = 133 ] || exit "$status"
done`;

/** Starts the host unless it runs; does not wait for it. Changes made on it before a crash are kept. */
export async function startHost(settings: LabSettings, host: LabHost): Promise<void> {
  const record = hostRecord(settings, host.name);
  if ((await findProcess(record)) !== undefined) return;
  const { home, seed, upper, work, root } = hostFolders(settings, host.name);
  const cgroup = cgroupPath(settings, host.name);
  await endCgroup(cgroup);
  await makeCgroup(cgroup);
  // The kernel takes down the network of a host that has ended in its own time.
  await tryCommand('ip', ['link', 'delete', 'dev', `vb-${machineName(settings, host.name)}`]);
  for (const folder of [upper, root]) await mkdir(folder, { recursive: true });
  // The kernel leaves a folder there that it cannot take up again after a crash of a volatile mount.
  await rm(work, { recursive: true, force: true });
  await mkdir(work);
  await ensureProcess({
    title: `host ${host.name}`,
    record,
    log: hostLog(settings, host.name),
    environment: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    command: [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      bootScript,
      home,
      `lowerdir=${seed}:${host.base},upperdir=${upper},workdir=${work}`,
      root,
      cgroup,
      'systemd-nspawn',
      `--directory=${root}`,
      '--boot',
      '--quiet',
      '--register=no',
      '--keep-unit',
      `--machine=${machineName(settings, host.name)}`,
      `--hostname=${host.name}`,
      `--network-bridge=${bridgeName(settings)}`,
      '--capability=CAP_NET_ADMIN,CAP_NET_RAW',
      '--system-call-filter=bpf',
      '--console=read-only',
      '--timezone=off',
      '--resolv-conf=off',
      '--link-journal=no',
      // For the log: without a terminal systemd would keep to itself which unit fails.
      'systemd.show_status=yes',
    ],
  });
}

/** Stops the host as a power cut does; its files stay. */
export async function stopHost(settings: LabSettings, host: string): Promise<void> {
  await endCgroup(cgroupPath(settings, host));
  await stopProcess(hostRecord(settings, host));
}

/** Discards all changes of a stopped host. */
export async function emptyHost(settings: LabSettings, host: string): Promise<void> {
  const { upper, work } = hostFolders(settings, host);
  await Promise.all([upper, work].map((folder) => rm(folder, { recursive: true, force: true })));
}

/** Whether nothing was ever changed on the host: it did not boot since it was made or emptied. */
export function isBare(settings: LabSettings, host: string): boolean {
  const { upper } = hostFolders(settings, host);
  return !existsSync(upper) || readdirSync(upper).length === 0;
}

/**
 * Waits until admin can log in and systemd says that the host has booted. E_LAB when it does not come up;
 * a bare host must be without failed units, one with a past is only reported.
 */
export async function awaitHost(
  settings: LabSettings,
  host: LabHost,
  bare: boolean,
  progress: Progress,
): Promise<void> {
  const { address } = hostAddresses(settings, host.number);
  const record = hostRecord(settings, host.name);
  const greeted = await waitFor(90_000, async () => {
    if (await sshGreets(address)) return true;
    return (await findProcess(record)) === undefined ? false : undefined;
  });
  if (greeted !== true) {
    const what = greeted === false ? 'stopped while booting' : 'does not answer on port 22';
    throw await hostError(settings, host, `the host ${what}`);
  }
  // Until the end of the boot only root may log in.
  const said = await waitFor(90_000, async () => {
    const result = await sshCommand(
      settings,
      host,
      'systemctl is-system-running --wait; systemctl --failed --plain --no-legend',
      60_000,
    );
    return result.stdout === '' ? undefined : result.stdout.trim();
  });
  if (said === undefined) throw await hostError(settings, host, 'no login on the host works');
  if (said === 'running') return;
  const [state, ...units] = said.split('\n');
  if (bare) throw await hostError(settings, host, `the bare host is ${state ?? ''}: ${units.join(', ')}`);
  progress(`${host.name}: systemd is ${state ?? 'in an unknown state'}: ${units.join(', ')}`);
}

async function hostError(settings: LabSettings, host: LabHost, message: string): Promise<HostwrightError> {
  const log = hostLog(settings, host.name);
  return new HostwrightError('E_LAB', message, {
    place: { host: host.name },
    found: lastLines(await readFile(log, 'utf8').catch(() => '')),
    hint: `read ${log}; \`hostwright lab reset ${host.name}\` resets the host to a bare Debian`,
  });
}
