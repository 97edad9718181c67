import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { withLock } from './lock.ts';
import type { Progress } from './progress.ts';
import { proxyAddress, proxyHas } from './proxy.ts';
import { sharedFolders } from './settings.ts';
import type { LabSettings, Release } from './settings.ts';

// A base tree is a minimal Debian that all hosts of a release share as the lowest layer of their overlay.
// It is never written to once it has its name.

const common = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'libpam-systemd',
  'openssh-server',
  'passwd',
  'sudo',
  'iproute2',
  'procps',
  'ca-certificates',
];

/** Every installed Debian has mount(8); in later releases no package of this list depends on it. */
const packages = (release: Release): readonly string[] =>
  release === 'forky' ? [...common, 'mount'] : common;

/** Runs in the new tree, whose path is $1. */
const customize = (release: Release): string => `set -eu
chroot "$1" useradd --create-home --shell /bin/bash --uid 1000 admin
echo 'admin ALL=(ALL:ALL) NOPASSWD: ALL' > "$1/etc/sudoers.d/admin"
chmod 0440 "$1/etc/sudoers.d/admin"
chroot "$1" update-ca-certificates
chroot "$1" systemctl enable systemd-networkd.service ssh.service
${release === 'forky' ? 'chroot "$1" systemctl mask dev-hugepages.mount' : ''}
rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname" "$1/etc/hosts" "$1/etc/resolv.conf"
rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/var/lib/dbus/machine-id"
: > "$1/etc/machine-id"
`;

// mmdebstrap mounts /proc, /sys and /dev in the tree: in a namespace of its own these can never be found in
// a tree that is to be removed. All of it ends when we do, however we end.
const inNamespaces = [
  '--pdeathsig=KILL',
  'unshare',
  '--mount',
  '--propagation=private',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

/** The folder of the base tree of a release, as this version of the lab makes it. */
export function baseFolder(settings: LabSettings, release: Release, authority: string): string {
  const recipe = createHash('sha256').update(
    JSON.stringify([packages(release), customize(release), optionalSuites(release), authority]),
  );
  return join(sharedFolders(settings).base, `${release}-${recipe.digest('hex').slice(0, 12)}`);
}

/**
 * Builds the base tree if it is missing; other labs wait for it. Takes about a
 * minute. E_LAB where mmdebstrap fails.
 * @param authority PEM of the CA that the hosts trust beside Debian's
 */
export async function ensureBase(
  settings: LabSettings,
  release: Release,
  authority: string,
  progress: Progress,
): Promise<void> {
  const folder = baseFolder(settings, release, authority);
  if (existsSync(folder)) return;
  await withLock(settings, `base-${release}`, async () => {
    if (existsSync(folder)) return;
    progress(`building the base system of ${release}: takes a minute or two, once`);
    const partial = `${folder}.partial`;
    const hooks = `${folder}.hooks`;
    await runCommand('rm', ['-rf', '--one-file-system', partial]);
    await mkdir(hooks, { recursive: true });
    await writeFile(join(hooks, 'authority.crt'), authority);
    await writeFile(join(hooks, 'customize'), customize(release), { mode: 0o700 });
    const proxy = proxyAddress(settings);
    await runCommand(
      'setpriv',
      [
        ...inNamespaces,
        'mmdebstrap',
        '--variant=apt',
        '--mode=root',
        '--format=directory',
        `--include=${packages(release).join(',')}`,
        `--aptopt=Acquire::http::Proxy "${proxy}"`,
        '--aptopt=Acquire::Check-Valid-Until "false"',
        `--customize-hook=mkdir -p "$1/usr/local/share/ca-certificates" && cp ${join(hooks, 'authority.crt')} "$1/usr/local/share/ca-certificates/hostwright-lab.crt"`,
        `--customize-hook=sh ${join(hooks, 'customize')} "$1"`,
        release,
        partial,
        ...(await sources(settings, release)),
      ],
      {
        hint: 'check that `apt-get update` works on this machine: the lab uses the same Debian archive',
      },
    );
    await rename(partial, folder);
    await rm(hooks, { recursive: true });
  });
}

/** Ordinary lines of a Debian host; of updates and security those that the mirror has. */
async function sources(settings: LabSettings, release: Release): Promise<readonly string[]> {
  const there = await Promise.all(
    optionalSuites(release).map(async ([archive, suite]) =>
      (await proxyHas(settings, `${archive}/dists/${suite}/InRelease`))
        ? [`deb ${archive} ${suite} main`]
        : [],
    ),
  );
  return [`deb http://deb.debian.org/debian ${release} main`, ...there.flat()];
}

const optionalSuites = (release: Release) =>
  [
    ['http://deb.debian.org/debian', `${release}-updates`],
    ['http://deb.debian.org/debian-security', `${release}-security`],
  ] as const;
