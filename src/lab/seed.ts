import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { proxyAddress } from './proxy.ts';
import { hostAddresses, machineAddress } from './settings.ts';
import type { LabSettings } from './settings.ts';
import { ensureKey, hostKeyFile, hostKeyTypes, userKey } from './ssh.ts';
import type { LabHost } from './state.ts';

// The layer between base tree and host: what makes this host itself (name, addresses, keys). It stays when
// the host is reset. Folders of an upper layer hide owner and mode of those below, so both are as in Debian.

const admin = 1000;

export async function ensureSeed(settings: LabSettings, host: LabHost, folder: string): Promise<void> {
  for (const path of ['etc/apt/apt.conf.d', 'etc/ssh', 'etc/systemd/network']) {
    await mkdir(join(folder, path), { recursive: true, mode: 0o755 });
  }
  await ensureHostKeys(host, join(folder, 'etc/ssh'));
  if (!existsSync(join(folder, 'etc/machine-id'))) {
    await writeFile(join(folder, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`, { mode: 0o444 });
  }
  const files = {
    'etc/hostname': `${host.name}\n`,
    'etc/hosts': `127.0.0.1\tlocalhost\n127.0.1.1\t${host.name}\n\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n`,
    // As the initramfs of an installed Debian mounts it.
    'etc/fstab': 'tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,mode=755 0 0\n',
    'etc/resolv.conf': `nameserver ${machineAddress(settings)}\n`,
    'etc/systemd/network/10-lab.network': networkUnit(settings, host),
    // The mirror of the machine may be older than its lists say.
    'etc/apt/apt.conf.d/00lab': `Acquire::http::Proxy "${proxyAddress(settings)}";\nAcquire::Check-Valid-Until "false";\n`,
  };
  for (const [path, text] of Object.entries(files))
    await writeFile(join(folder, path), text, { mode: 0o644 });
  await seedAuthorizedKey(settings, folder);
}

async function ensureHostKeys(host: LabHost, folder: string): Promise<void> {
  await Promise.all(
    hostKeyTypes.map(async (type) => {
      await ensureKey(hostKeyFile(folder, type), type, `root@${host.name}`);
    }),
  );
}

async function seedAuthorizedKey(settings: LabSettings, folder: string): Promise<void> {
  const home = join(folder, 'home/admin');
  const keys = join(home, '.ssh');
  await rm(keys, { recursive: true, force: true });
  await mkdir(keys, { recursive: true });
  await writeFile(join(keys, 'authorized_keys'), await readFile(`${userKey(settings)}.pub`), { mode: 0o600 });
  for (const path of [home, keys]) await chmod(path, 0o700);
  for (const path of [home, keys, join(keys, 'authorized_keys')]) await chown(path, admin, admin);
}

function networkUnit(settings: LabSettings, host: LabHost): string {
  const { address, address6 } = hostAddresses(settings, host.number);
  // No route to anywhere else: what is not in the lab fails at once instead of after a minute.
  return `[Match]
Name=host0

[Network]
Address=${address}/24
LinkLocalAddressing=ipv6
IPv6AcceptRA=no

[Address]
Address=${address6}/64
DuplicateAddressDetection=none
`;
}
