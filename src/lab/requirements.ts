import { constants, existsSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { cgroupRoot } from './cgroup.ts';
import { lastLines, tryCommand } from './command.ts';
import type { LabSettings } from './settings.ts';

const gibibyte = 1024 ** 3;
const overlayMagic = 0x79_4c_76_30;
const otherWay = 'or use your own machines with inventory/three-hosts/';

/** What ends with E_LAB before anything on the machine is touched. */
export async function checkMachine(
  settings: LabSettings,
  wanted: { hosts: number; bases: number },
): Promise<void> {
  checkUser();
  await checkDisk(settings, wanted);
  await checkCgroup();
  await checkKernel();
}

export function checkUser(): void {
  if (process.platform !== 'linux') {
    throw new HostwrightError('E_LAB', 'the lab needs Linux', {
      found: process.platform,
      hint: `run it in a Debian VM, ${otherWay}`,
    });
  }
  if (process.getuid?.() !== 0) {
    throw new HostwrightError('E_LAB', 'the lab needs root', {
      found: `user ${process.getuid?.() ?? ''}`,
      hint: `run it with sudo, ${otherWay}`,
    });
  }
  if (!existsSync('/usr/bin/apt-get')) {
    throw new HostwrightError('E_LAB', 'the lab needs a Debian machine', {
      found: 'no apt-get',
      hint: `run it in a Debian VM, ${otherWay}`,
    });
  }
}

async function checkDisk(
  settings: LabSettings,
  { hosts, bases }: { hosts: number; bases: number },
): Promise<void> {
  const folder = existsSync(settings.root) ? settings.root : dirname(settings.root);
  const disk = await statfs(folder);
  if (disk.type === overlayMagic) {
    throw new HostwrightError(
      'E_LAB',
      `${folder} is on overlayfs, which cannot be the base of another overlay`,
      {
        hint: `mount a disk or a volume at ${settings.root}`,
      },
    );
  }
  // A bare host takes a few MB, one with the whole site on it over a GB; a base tree under half a GB.
  const needed = 1 + hosts * 1.5 + bases;
  const free = (disk.bavail * disk.bsize) / gibibyte;
  if (free >= needed) return;
  throw new HostwrightError('E_LAB', 'not enough disk space for the lab', {
    found: `${free.toFixed(1)} GiB free in ${folder}`,
    expected: `${needed.toFixed(1)} GiB for ${hosts} hosts`,
    hint: `free space, mount a larger disk at ${settings.root}, use fewer hosts with --hosts, ${otherWay}`,
  });
}

async function checkCgroup(): Promise<void> {
  const root = await cgroupRoot();
  if (root === undefined) {
    throw new HostwrightError('E_LAB', 'cgroup v2 is not mounted', {
      expected: 'cgroup2 at /sys/fs/cgroup, or at /sys/fs/cgroup/unified beside v1',
      hint: 'boot with systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified',
    });
  }
  const writable = await access(root, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (writable && existsSync(`${root}/cgroup.procs`)) return;
  throw new HostwrightError('E_LAB', 'this machine does not allow new cgroups', {
    found: `${root} is not writable`,
    hint: `an unprivileged container is not enough: use a VM, ${otherWay}`,
  });
}

/** Tries the operations of the lab in temporary namespaces. */
async function checkKernel(): Promise<void> {
  const attempts = [
    ['mount, network, pid, ipc and uts namespaces', 'true'],
    ['mounting cgroup2', 'umount -R -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup'],
    [
      'overlayfs',
      'mount -t tmpfs tmpfs /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/m && mount -t overlay overlay -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w /mnt/m',
    ],
    ['network bridges', '! command -v ip || ip link add hwprobe type bridge'],
    ['virtual Ethernet pairs', '! command -v ip || ip link add hwprobe1 type veth peer name hwprobe2'],
  ] as const;
  for (const [what, script] of attempts) {
    const words = [
      '--mount',
      '--net',
      '--ipc',
      '--uts',
      '--pid',
      '--fork',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
    ];
    const { code, stderr } = await tryCommand('unshare', words);
    if (code === 0) continue;
    throw new HostwrightError('E_LAB', `the kernel does not allow ${what}`, {
      found: lastLines(stderr),
      hint: `load the module, or use a machine whose kernel has it, ${otherWay}`,
    });
  }
}
