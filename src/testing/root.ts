import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { promisify } from 'node:util';
import { labSettings, sharedFolders } from '../lab/settings.ts';
import { parseSections, sectionsRequest } from '../transport/sections.ts';
import type { Script } from '../transport/shell.ts';
import type { Answer } from '../transport/transport.ts';

/** Something that scripts run on as they do on a host: a tree of files (`openRoot`), or a booted host (`openHost`). */
export interface Root {
  /** Runs a script as a host does: `set -eu`, root, its own standard input and `$HW`. */
  run(script: Script, stdin?: Uint8Array): Promise<Answer>;
  /** Standard output of a script that must not fail. */
  ask(script: Script): Promise<string>;
  /** Throws it away. */
  close(): Promise<void>;
}

/** `ask` by `run`. */
export function askBy(run: Root['run']): Root['ask'] {
  return async (script) => {
    const { code, stdout, stderr } = await run(script);
    if (code !== 0) throw new Error(`exit status ${code}: ${stderr.toString('utf8')}`);
    return stdout.toString('utf8');
  };
}

const include = 'systemd,passwd,ca-certificates,acl,e2fsprogs';
const archive = /^URIs:\s*(\S+)/m;

/** The archive that this machine itself installs from; Debian's own where it names none. */
export async function debianMirror(): Promise<string> {
  const folder = '/etc/apt/sources.list.d';
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.sources')) continue;
    const text = await readFile(join(folder, name), 'utf8');
    const uri = archive.exec(text)?.[1];
    if (uri !== undefined && text.includes('debian-archive-keyring')) return uri;
  }
  return 'http://deb.debian.org/debian';
}

/**
 * Built once for a machine, beside the trees of the labs, which `hostwright lab down --purge` removes. A rename makes
 * it whole for others that build it at the same time.
 */
async function baseTree(): Promise<string> {
  const contents = createHash('sha256').update(include).digest('hex').slice(0, 8);
  const folder = sharedFolders(labSettings({})).base;
  const base = join(folder, `root-trixie-${contents}`);
  if (existsSync(base)) return base;
  await mkdir(folder, { recursive: true });
  const parent = await mkdtemp(`${base}.`);
  const tree = join(parent, 'tree');
  const source = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${await debianMirror()} trixie main`;
  const words = ['--variant=apt', `--include=${include}`, 'trixie', tree, source];
  await promisify(execFile)('mmdebstrap', words).catch((cause: unknown) => {
    throw new Error('the tree cannot be built: apt-get install mmdebstrap debian-archive-keyring', { cause });
  });
  await rename(tree, base).catch((error: unknown) => {
    if (!existsSync(base)) throw error;
  });
  await rm(parent, { recursive: true, force: true });
  return base;
}

const setUp = `set -eu
mount -t tmpfs -o mode=0755 tmpfs "$2"
cd "$2"
mkdir upper work root
mount -t overlay -o "lowerdir=$1,upperdir=upper,workdir=work" overlay root
mount -t proc proc root/proc
mount --bind /dev root/dev
mount -t tmpfs -o mode=0755,nosuid,nodev,noexec tmpfs root/run
mkdir root/run/hostwright
rm -f root/etc/resolv.conf
cat /etc/resolv.conf >root/etc/resolv.conf
echo ready
exec sleep infinity`;

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  // There is no systemd to talk to; systemctl then changes files alone.
  SYSTEMD_OFFLINE: '1',
};

/**
 * A minimal Debian 13 in namespaces of its own on this machine, in which nothing is booted; takes a second, the first
 * time a minute or two. Needs Linux, root and mmdebstrap. `network: true` shares the network of this machine;
 * otherwise it has an empty one of its own.
 */
export async function openRoot({ network = false } = {}): Promise<Root> {
  if (process.getuid?.() !== 0) throw new Error('a tree of files to test on needs root');
  const base = await baseTree();
  const mountPoint = await mkdtemp(join(tmpdir(), 'hostwright-root-run.'));
  const namespaces = ['--mount', '--uts', '--ipc', '--pid', ...(network ? [] : ['--net'])];
  const holder = spawn(
    'unshare',
    [...namespaces, '--fork', '--kill-child', 'sh', '-c', setUp, 'sh', base, mountPoint],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const gone = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  const said = await createInterface({ input: holder.stdout })[Symbol.asyncIterator]().next();
  if (said.value !== 'ready') throw new Error('a tree of files to test on cannot be set up here');
  const children = await readFile(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8');
  const inside = ['-t', children.trim(), '-m', '-u', '-i', '-p', ...(network ? [] : ['-n'])];

  const request = async (script: Script, stdin: Uint8Array): Promise<Answer> => {
    const text = Buffer.from(script.text);
    // A word of a command line can have 128 KiB.
    const shell = ['sh', '-c', `eval "$(head -c ${text.length})"`];
    const child = spawn('nsenter', [...inside, 'chroot', join(mountPoint, 'root'), ...shell], {
      env: environment,
      stdio: 'pipe',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A script that has ended before it reads says so by its status.
    child.stdin.on('error', () => undefined);
    child.stdin.write(text);
    child.stdin.end(stdin);
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? 255));
    });
    return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err) };
  };
  const run = async (script: Script, stdin?: Uint8Array): Promise<Answer> => {
    const framed = sectionsRequest([stdin === undefined ? { script } : { script, stdin }]);
    const answer = await request(framed.script, framed.stdin ?? new Uint8Array());
    const [section] = parseSections('root', answer, 1);
    if (section === undefined) throw new Error('no answer');
    return section;
  };
  return {
    run,
    ask: askBy(run),
    close: async () => {
      holder.kill('SIGKILL');
      await gone;
      await rm(mountPoint, { recursive: true });
    },
  };
}
