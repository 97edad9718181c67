import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAuthority } from '../../src/lab/authority.ts';
import { baseFolder, ensureBase } from '../../src/lab/base.ts';
import { proxyAddress } from '../../src/lab/proxy.ts';
import { labFolders, labSettings, type Release } from '../../src/lab/settings.ts';
import { run, type Finished } from './hosts.ts';

/** Programs of another Debian than that of this machine: in a tree of the lab, over its base tree. */
export interface DebianTree {
  /** The words of a command that runs POSIX shell as root in the tree, with the network of this machine. */
  readonly command: (script: string) => readonly [string, ...string[]];
  /** Runs that. What it writes, but for the folders that the tree shares, is gone afterwards. */
  readonly run: (script: string, input?: string) => Promise<Finished>;
}

interface Wanted {
  readonly release: Release;
  readonly packages: readonly string[];
  /** Folders of this machine that are there as they are. */
  readonly shared?: readonly string[];
}

/** In namespaces of its own, so that nothing stays mounted or running, whichever way it ends. */
function inTree(mount: string, shared: readonly string[], script: string): readonly [string, ...string[]] {
  const enter = `${mount}
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/tmp"
${shared.map((folder) => `mkdir -p "$1${folder}"; mount --rbind "${folder}" "$1${folder}"`).join('\n')}
exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive sh -euc "$2"`;
  const namespaces = ['--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  return ['unshare', ...namespaces, 'sh', '-euc', enter, 'sh', '/mnt', script];
}

/** Installs Debian packages in a tree that lives in the folder of a lab that is up, and goes away with it. */
export async function debianTree(
  environment: NodeJS.ProcessEnv,
  { release, packages, shared = [] }: Wanted,
): Promise<DebianTree> {
  const settings = labSettings(environment);
  const authority = (await readAuthority(settings)) ?? '';
  await ensureBase(settings, release, authority, () => undefined);
  const base = baseFolder(settings, release, authority);
  const folder = join(labFolders(settings).home, `tree-${release}`);
  const [upper, work] = [join(folder, 'upper'), join(folder, 'work')];
  await mkdir(join(upper, 'etc/apt/apt.conf.d'), { recursive: true });
  await mkdir(work, { recursive: true });
  await writeFile(
    join(upper, 'etc/apt/apt.conf.d/00lab'),
    `Acquire::http::Proxy "${proxyAddress(settings)}";\nAcquire::Check-Valid-Until "false";\n`,
  );
  const [program, ...words] = inTree(
    `mount -t overlay overlay -o lowerdir=${base},upperdir=${upper},workdir=${work} "$1"`,
    [],
    `apt-get -q update; apt-get -qy --no-install-recommends install ${packages.join(' ')}`,
  );
  const installed = await run(program, words);
  if (installed.code !== 0)
    throw new Error(`${packages.join(', ')} do not come: ${installed.stdout}${installed.stderr}`);
  const scratch = `mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o lowerdir=${upper}:${base},upperdir="$1/upper",workdir="$1/work" "$1"`;
  const command = (script: string): readonly [string, ...string[]] => inTree(scratch, shared, script);
  return {
    command,
    run: async (script, input = '') => {
      const [name, ...rest] = command(script);
      return await run(name, rest, { input });
    },
  };
}
