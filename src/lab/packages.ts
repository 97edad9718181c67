import { existsSync } from 'node:fs';
import { runCommand, tryCommand } from './command.ts';
import { withLock } from './lock.ts';
import type { Progress } from './progress.ts';
import type { LabSettings } from './settings.ts';

/** Debian packages of the machine that the lab works with. */
const needed = [
  'apt-cacher-ng',
  'ca-certificates',
  'debian-archive-keyring',
  'iproute2',
  'mmdebstrap',
  'openssh-client',
  'openssl',
  'pebble',
  'systemd',
  'systemd-container',
];

/** Installs the packages that are missing, without a question and without starting their services. */
export async function ensurePackages(settings: LabSettings, progress: Progress): Promise<void> {
  if ((await missingPackages()).length === 0) return;
  await withLock(settings, 'packages', async () => {
    const missing = await missingPackages();
    if (missing.length === 0) return;
    progress(`installing ${missing.join(', ')}`);
    const unwanted = missing.includes('apt-cacher-ng') && existsSync('/run/systemd/system');
    // Its package would start a proxy for the whole network; the lab runs its own, for itself.
    if (unwanted) await runCommand('systemctl', ['mask', '--runtime', 'apt-cacher-ng.service']);
    try {
      if (!(await install(missing, false))) {
        await runCommand('apt-get', ['update'], { hint: 'repair `apt-get update` on this machine first' });
        await install(missing, true);
      }
      if (unwanted) await runCommand('systemctl', ['disable', 'apt-cacher-ng.service']);
    } finally {
      if (unwanted) await tryCommand('systemctl', ['unmask', '--runtime', 'apt-cacher-ng.service']);
    }
  });
}

async function missingPackages(): Promise<readonly string[]> {
  const { stdout } = await tryCommand('dpkg-query', [
    '-W',
    '-f',
    '${Package} ${db:Status-Status}\\n',
    ...needed,
  ]);
  const lines = new Set(stdout.split('\n'));
  return needed.filter((name) => !lines.has(`${name} installed`));
}

async function install(names: readonly string[], mustWork: boolean): Promise<boolean> {
  const words = [
    '-y',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=600',
    '-o',
    'Dpkg::Options::=--force-confdef',
    '-o',
    'Dpkg::Options::=--force-confold',
    'install',
    ...names,
  ];
  const environment = {
    DEBIAN_FRONTEND: 'noninteractive',
    NEEDRESTART_MODE: 'a',
    APT_LISTCHANGES_FRONTEND: 'none',
  };
  if (!mustWork) return (await tryCommand('apt-get', words, { environment })).code === 0;
  await runCommand('apt-get', words, {
    environment,
    hint: `repair \`apt-get install ${names.join(' ')}\` on this machine`,
  });
  return true;
}
