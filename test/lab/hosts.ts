import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { stopHost } from '../../src/lab/host.ts';
import { labSettings } from '../../src/lab/settings.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One line of `--json`. */
export type Line = Readonly<Record<string, unknown>> & { readonly type: string };

/** A lab of its own for a test file: bare hosts, and the command line to work on them. */
export interface TestHosts {
  /** The folder of the inventory. */
  readonly inventory: string;
  /** The machine's side and the hosts: `address('web1')`. */
  readonly address: (host: string) => string;
  readonly environment: NodeJS.ProcessEnv;
  /** Runs bin/hostwright; `-i` and the lab come by the environment. */
  readonly hostwright: (...words: readonly string[]) => Promise<Finished>;
  /** Starts bin/hostwright and leaves it running. */
  readonly start: (...words: readonly string[]) => ReturnType<typeof spawn>;
  /** Runs shell as root on a host through the system's own ssh; gives its standard output. */
  readonly ssh: (host: string, script: string, input?: string) => Promise<Finished>;
  /** The same where it must succeed: throws with what it said. */
  readonly shell: (host: string, script: string, input?: string) => Promise<string>;
  readonly losePower: (host: string) => Promise<void>;
  /** To all that have lost it. The lab writes its inventory anew. */
  readonly powerIsBack: () => Promise<void>;
  readonly down: () => Promise<void>;
}

export function run(
  command: string,
  words: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly cwd?: string } = {},
): Promise<Finished> {
  return new Promise((done, fail) => {
    const child = spawn(command, words, { cwd: options.cwd ?? root, env: options.env ?? process.env });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', fail);
    // Who ends early does not read to the end.
    child.stdin.on('error', () => undefined);
    child.on('close', (code) => {
      done({ code, stdout, stderr });
    });
    child.stdin.end(options.input ?? '');
  });
}

/** The lines of a `--json` run. */
export function jsonLines(finished: Finished): readonly Line[] {
  return finished.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line) as Line);
}

/** What a `--json` run has of a type, as `HOST RESOURCE ACTION`. */
export function named(finished: Finished, type: 'change' | 'result'): readonly string[] {
  return jsonLines(finished)
    .filter((line) => line.type === type)
    .map((line) => `${String(line['host'])} ${String(line['resource'])} ${String(line['action'])}`)
    .toSorted();
}

/** Brings up `count` bare hosts in a lab of that name; an older one of the same name is ended first. */
export async function bareHosts(
  name: string,
  subnet: string,
  count: number,
  release?: string,
): Promise<TestHosts> {
  const folder = `/var/lib/hostwright-lab/${name}`;
  const inventory = join(folder, 'inventory');
  const environment = {
    ...process.env,
    HOSTWRIGHT_LAB: name,
    HOSTWRIGHT_LAB_SUBNET: subnet,
    HOSTWRIGHT_INVENTORY: inventory,
    NO_COLOR: '1',
  };
  const command = join(root, 'bin/hostwright');
  const hostwright = (...words: readonly string[]) => run(command, words, { env: environment });
  await hostwright('lab', 'down');
  const up = await hostwright(
    ...['lab', 'up', '--hosts', String(count)],
    ...(release === undefined ? [] : ['--release', release]),
  );
  if (up.code !== 0) throw new Error(`the lab ${name} does not come up:\n${up.stdout}${up.stderr}`);
  const address = (host: string): string => `${subnet}.${10 + Number(host.replace(/\D/g, ''))}`;
  const ssh: TestHosts['ssh'] = (host, script, input = '') =>
    run(
      'ssh',
      [
        ...['-i', join(folder, 'ssh/id_ed25519')],
        ...['-o', `UserKnownHostsFile=${join(folder, 'ssh/known_hosts')}`],
        ...['-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'],
        // A host that goes away under way must not keep a test for ever.
        ...['-o', 'ConnectTimeout=10', '-o', 'ServerAliveInterval=10'],
        `admin@${address(host)}`,
        `sudo sh -c '${script.replaceAll("'", `'\\''`)}'`,
      ],
      { input },
    );
  return {
    inventory,
    address,
    environment,
    hostwright,
    start: (...words) => spawn(command, words, { cwd: root, env: environment, stdio: 'ignore' }),
    ssh,
    async shell(host, script, input) {
      const { code, stdout, stderr } = await ssh(host, script, input);
      if (code !== 0) throw new Error(`${host}: ${script}: ended with ${code}: ${stderr}`);
      return stdout;
    },
    losePower: (host) => stopHost(labSettings(environment), host),
    powerIsBack: async () => {
      const back = await hostwright('lab', 'up', '--hosts', String(count));
      if (back.code !== 0) throw new Error(back.stdout + back.stderr);
    },
    down: async () => {
      await hostwright('lab', 'down');
    },
  };
}
