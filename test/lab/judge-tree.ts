import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAuthority } from '../../src/lab/authority.ts';
import { baseFolder } from '../../src/lab/base.ts';
import { proxyAddress } from '../../src/lab/proxy.ts';
import { labFolders, labSettings } from '../../src/lab/settings.ts';
import { run, type Finished } from './hosts.ts';

/** Programs of Debian 13 for a machine that may be older: in a tree of the lab, over its base tree. */
export interface JudgeTree {
  /** Runs POSIX shell as root in the tree, with the network of this machine. What it writes is gone afterwards. */
  readonly run: (script: string, input?: string) => Promise<Finished>;
}

/** In namespaces of its own, so that nothing stays mounted or running, whichever way it ends. */
async function inTree(mount: string, script: string, input = ''): Promise<Finished> {
  const enter = `${mount}
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/tmp"
exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive sh -euc "$2"`;
  const namespaces = ['--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  return await run('unshare', [...namespaces, 'sh', '-euc', enter, 'sh', '/mnt', script], { input });
}

/** Installs Debian packages in a tree that lives in the folder of the lab, and goes away with it. */
export async function judgeTree(
  environment: NodeJS.ProcessEnv,
  packages: readonly string[],
): Promise<JudgeTree> {
  const settings = labSettings(environment);
  const base = baseFolder(settings, 'trixie', (await readAuthority(settings)) ?? '');
  const folder = join(labFolders(settings).home, 'judges');
  const [upper, work] = [join(folder, 'upper'), join(folder, 'work')];
  await mkdir(join(upper, 'etc/apt/apt.conf.d'), { recursive: true });
  await mkdir(work, { recursive: true });
  await writeFile(
    join(upper, 'etc/apt/apt.conf.d/00lab'),
    `Acquire::http::Proxy "${proxyAddress(settings)}";\nAcquire::Check-Valid-Until "false";\n`,
  );
  const installed = await inTree(
    `mount -t overlay overlay -o lowerdir=${base},upperdir=${upper},workdir=${work} "$1"`,
    `apt-get -q update; apt-get -qy --no-install-recommends install ${packages.join(' ')}`,
  );
  if (installed.code !== 0) throw new Error(`the judges do not come: ${installed.stdout}${installed.stderr}`);
  const scratch = `mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o lowerdir=${upper}:${base},upperdir="$1/upper",workdir="$1/work" "$1"`;
  return { run: (script, input) => inTree(scratch, script, input) };
}
