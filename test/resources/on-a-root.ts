import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { compare } from '../../src/plan/compare.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { Unreadable, type Change, type State } from '../../src/resources/state.ts';
import { isSecret } from '../../src/secrets/secret.ts';
import { parseSections, sectionsRequest } from '../../src/transport/sections.ts';
import { sh, type Script } from '../../src/transport/shell.ts';
import type { Answer } from '../../src/transport/transport.ts';

/** A minimal Debian 13 in namespaces of its own, thrown away when it is closed. Nothing is booted in it. */
export interface Root {
  /** Runs a script as a host does: `set -eu`, root, its own standard input and `$HW`. */
  run(script: Script, stdin?: Uint8Array): Promise<Answer>;
  /** Standard output of a script that must not fail. */
  ask(script: Script): Promise<string>;
  close(): Promise<void>;
}

const include = 'systemd,passwd,ca-certificates,acl,e2fsprogs';
const archive = /^URIs:\s*(\S+)/m;

/** The archive that this machine itself installs from. */
export async function debianMirror(): Promise<string> {
  const folder = '/etc/apt/sources.list.d';
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.sources')) continue;
    const text = await readFile(join(folder, name), 'utf8');
    const uri = archive.exec(text)?.[1];
    if (uri !== undefined && text.includes('debian-archive-keyring')) return uri;
  }
  throw new Error(`no deb822 source of Debian in ${folder}`);
}

/** Built once for a user and machine; a rename makes it whole for others that build it at the same time. */
async function baseTree(): Promise<string> {
  const contents = createHash('sha256').update(include).digest('hex').slice(0, 8);
  const base = join(tmpdir(), `hostwright-root-trixie-${contents}-${process.getuid?.() ?? 0}`);
  if (existsSync(base)) return base;
  const parent = await mkdtemp(`${base}.`);
  const tree = join(parent, 'tree');
  const source = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${await debianMirror()} trixie main`;
  await promisify(execFile)('mmdebstrap', ['--variant=apt', `--include=${include}`, 'trixie', tree, source]);
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

/** `network: true` shares the network of this machine; otherwise the root has one of its own, empty. */
export async function openRoot({ network = false } = {}): Promise<Root> {
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
  if (said.value !== 'ready') throw new Error('the root for the tests cannot be set up (root rights needed)');
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
    ask: async (script) => {
      const answer = await run(script);
      expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
      return answer.stdout.toString('utf8');
    },
    close: async () => {
      holder.kill('SIGKILL');
      await gone;
      await rm(mountPoint, { recursive: true });
    },
  };
}

/** What a probe finds of one resource. */
export async function probe(root: Root, resource: Resource): Promise<State | null> {
  const desired = resource.type.schema.parse(resource.attributes);
  const { script, stdin, parse } = resource.type.probe([desired]);
  keepsSecrets(resource, script);
  const answer = await root.run(script, stdin);
  expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
  const [actual] = parse(answer.stdout);
  if (actual === undefined || actual instanceof Unreadable) throw new Error(actual?.reason ?? 'no state');
  return actual;
}

function changeOf(resource: Resource, actual: State | null): Change | undefined {
  const desired = resource.type.schema.parse(resource.attributes);
  const difference = compare(resource.type, desired, actual);
  if (difference === undefined) return undefined;
  const id = `${resource.type.name}:${resource.type.key(desired)}` as const;
  return { id, desired, actual, ...difference };
}

function keepsSecrets(resource: Resource, shown: Script | string): void {
  for (const value of Object.values(resource.attributes)) {
    if (isSecret(value)) expect(String(shown)).not.toContain(value.reveal());
  }
}

/** Runs the steps of changes of one type, as they are, in one go each; the last answer that failed, if any. */
async function runSteps(
  root: Root,
  changes: readonly Change[],
  resource: Resource,
): Promise<Answer | undefined> {
  for (const step of resource.type.apply(changes, { declared: () => [] })) {
    if ('converse' in step) throw new Error('a conversation needs a host');
    keepsSecrets(resource, step.script);
    keepsSecrets(resource, step.title);
    const answer = await root.run(step.script, step.stdin);
    if (answer.code !== 0) return answer;
  }
  return undefined;
}

/**
 * Brings a resource to what it declares, and expects all that every type promises: the probe sees a
 * difference before and none after, and a second application is harmless. Gives the change that was made.
 */
export async function converge(root: Root, resource: Resource): Promise<Change> {
  const change = changeOf(resource, await probe(root, resource));
  if (change === undefined) throw new Error('there is nothing to change: the case shows nothing');
  keepsSecrets(resource, JSON.stringify(change));
  for (const time of ['first', 'second']) {
    const failed = await runSteps(root, [change], resource);
    if (failed !== undefined)
      throw new Error(`the ${time} application fails: ${failed.stderr.toString('utf8')}`);
    const after = await probe(root, resource);
    expect(changeOf(resource, after), `a difference is left after the ${time} application`).toBeUndefined();
  }
  return change;
}

/** Changes of one type that are applied together, as a plan does with those that need no order. */
export async function convergeTogether(root: Root, resources: readonly Resource[]): Promise<void> {
  const [first] = resources;
  if (first === undefined) throw new Error('no resources');
  const changes: Change[] = [];
  for (const resource of resources) {
    const change = changeOf(resource, await probe(root, resource));
    if (change !== undefined) changes.push(change);
  }
  expect(changes).toHaveLength(resources.length);
  const failed = await runSteps(root, changes, first);
  expect(failed?.stderr.toString('utf8')).toBeUndefined();
  for (const resource of resources) expect(changeOf(resource, await probe(root, resource))).toBeUndefined();
}

/** The application must fail; gives what it says. Nothing that a probe sees may have changed. */
export async function refuse(root: Root, resource: Resource): Promise<string> {
  const before = await probe(root, resource);
  const change = changeOf(resource, before);
  if (change === undefined) throw new Error('there is nothing to change: the case shows nothing');
  const failed = await runSteps(root, [change], resource);
  if (failed === undefined) throw new Error('it was applied');
  expect(await probe(root, resource)).toEqual(before);
  return failed.stderr.toString('utf8');
}

/** One line that every shell would trip over, were it not quoted; good for a file name too. */
export const hostile = `a 'b' "c" \`touch pwned\` $(touch pwned) ; touch pwned & \\ \\n * ? [x] {} ~ # ! ü`;

/** Whether anything of `hostile` was ever run. */
export async function isUnharmed(root: Root): Promise<boolean> {
  return (await root.ask(sh`find / -xdev -name pwned -print -quit`)) === '';
}
