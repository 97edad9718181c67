import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bareHosts, jsonLines, type Finished, type Line, type TestHosts } from './hosts.ts';

const names = ['web1', 'web2'];
const folder = mkdtempSync(join(tmpdir(), 'hostwright-workers-'));
const secret = 'Zw3i-Marker-7719';

// Each host works at its first step until it is let go.
const role = `
import { command, defineRole, secret, z } from 'hostwright';
export default defineRole({
  name: 'held',
  variables: z.object({ held_secret: secret() }),
  resources: ({ vars }) => [
    command('wait', {
      run: ['sh', '-c', 'echo >/run/begun; while [ ! -e /run/go ]; do sleep 0.1; done; cat >/root/first'],
      stdin: vars.held_secret,
      creates: '/root/first',
    }),
    command('go on', { run: ['touch', '/root/second'], creates: '/root/second' }, { needs: ['command:wait'] }),
  ],
});
`;

let hosts: TestHosts;

beforeAll(async () => {
  await mkdir(join(folder, 'roles/held'), { recursive: true });
  await writeFile(join(folder, 'roles/held/role.ts'), role);
  await writeFile(join(folder, 'site.yml'), '- hosts: all\n  roles: [held]\n');
  await writeFile(join(folder, 'vars.yml'), `held_secret: ${secret}\n`);
  hosts = await bareHosts('workers', '10.213.85', names.length);
});

afterAll(async () => {
  await hosts.down();
  rmSync(folder, { recursive: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Finished>;
  /** What it has written to standard error so far. */
  readonly told: () => string;
}

/** A run with two workers, in a process group of its own as a shell gives it. */
function start(verb: string, ...more: readonly string[]): Started {
  const command = resolve(import.meta.dirname, '../../bin/hostwright');
  const site = ['--site', join(folder, 'site.yml'), '-e', `@${join(folder, 'vars.yml')}`];
  const child = spawn(command, [verb, ...site, '--workers', '2', '--json', ...more], {
    env: hosts.environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Finished>((done) => {
    child.once('close', (code) => done({ code, stdout, stderr }));
  });
  return { child, ended, told: () => stderr };
}

/** The processes that a process has started. */
function childrenOf({ pid }: ChildProcess): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    // One that has ended and that nobody has asked for is no process any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function everyHost(script: string): Promise<readonly string[]> {
  return await Promise.all(names.map((name) => hosts.shell(name, script)));
}

async function begun(): Promise<void> {
  await everyHost('until [ -e /run/begun ]; do sleep 0.1; done');
}

async function letGo(): Promise<void> {
  await everyHost('echo >/run/go');
}

function of(lines: readonly Line[], type: string): readonly Line[] {
  return lines.filter((line) => line.type === type);
}

describe('a run with two workers', () => {
  beforeEach(async () => {
    await everyHost('rm -f /run/begun /run/go /root/first /root/second');
  });

  afterEach(letGo);

  /** The next run gets the locks, does what is left, and nothing is left then. */
  async function expectRecovery(): Promise<void> {
    await letGo();
    await everyHost('until [ -e /root/first ]; do sleep 0.1; done');
    const [again, then] = [await start('apply', '--yes').ended, await start('plan').ended];
    expect(again.code, again.stdout + again.stderr).toBe(0);
    expect(then.code, then.stdout + then.stderr).toBe(0);
    expect(await everyHost('cat /root/first; ls /root/second')).toEqual(
      names.map(() => `${secret}/root/second\n`),
    );
  }

  it('does what one with one does, and no secret is among the words or in the environment of a process', async () => {
    const { child, ended } = start('apply', '--yes');
    await begun();
    const workers = childrenOf(child);
    expect(workers).toHaveLength(2);
    for (const pid of workers) {
      const seen = ['cmdline', 'environ']
        .map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'))
        .join('');
      expect(seen).toContain('worker.js');
      expect(seen).not.toContain(secret);
    }
    await letGo();
    const finished = await ended;
    expect(finished.code, finished.stdout + finished.stderr).toBe(0);
    expect(finished.stdout + finished.stderr).not.toContain(secret);
    const lines = jsonLines(finished);
    expect(of(lines, 'change').map(({ host, resource }) => `${String(host)} ${String(resource)}`)).toEqual(
      names.flatMap((name) => [`${name} command:wait`, `${name} command:go on`]),
    );
    expect(of(lines, 'result').filter(({ outcome }) => outcome === 'changed')).toHaveLength(4);
    expect(workers.some(isAlive)).toBe(false);
    await expectRecovery();
  });

  it('of which one is killed loses the hosts of that one, and the next run finishes', async () => {
    const { child, ended } = start('apply', '--yes');
    await begun();
    const [first] = childrenOf(child);
    if (first === undefined) throw new Error('there is no worker');
    process.kill(first, 'SIGKILL');
    await letGo();
    const finished = await ended;
    expect(finished.code, finished.stdout + finished.stderr).toBe(1);
    const lines = jsonLines(finished);
    const [error, ...others] = of(lines, 'error');
    expect(error).toMatchObject({ code: 'E_WORKER', found: 'SIGKILL' });
    expect(others).toEqual([]);
    const isLost = ({ host }: Line): boolean => host === error?.['host'];
    const results = of(lines, 'result');
    expect(results.filter(isLost).map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['skipped', 'the host was lost'],
      ['skipped', 'the host was lost'],
    ]);
    expect(results.filter((result) => !isLost(result)).map(({ outcome }) => outcome)).toEqual([
      'changed',
      'changed',
    ]);
    await expectRecovery();
  });

  it('is interrupted as one: Ctrl-C reaches the workers too, and the steps in hand are finished', async () => {
    const { child, ended } = start('apply', '--yes');
    await begun();
    const workers = childrenOf(child);
    process.kill(-Number(child.pid), 'SIGINT');
    await letGo();
    const finished = await ended;
    expect(finished.code, finished.stdout + finished.stderr).toBe(130);
    const lines = jsonLines(finished);
    expect(lines.at(-1)).toMatchObject({ type: 'summary', ok: false, interrupted: true });
    expect(of(lines, 'error')).toEqual([]);
    for (const name of names) {
      const own = of(lines, 'result').filter(({ host }) => host === name);
      expect(own.map(({ outcome, reason }) => [outcome, reason])).toEqual([
        ['changed', undefined],
        ['skipped', 'interrupted'],
      ]);
    }
    expect(workers.some(isAlive)).toBe(false);
    await expectRecovery();
  });

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'ends with its workers at once when it is left by %s',
    async (signal) => {
      const { child, ended, told } = start('apply', '--yes');
      await begun();
      const workers = childrenOf(child);
      child.kill(signal);
      if (signal === 'SIGINT') {
        await expect.poll(told, { timeout: 30_000 }).toContain('Interrupted: waiting');
        // The second one waits for nothing.
        child.kill(signal);
      }
      const { code } = await ended;
      expect(code).toBe(signal === 'SIGINT' ? 130 : null);
      await expect.poll(() => workers.some(isAlive), { timeout: 30_000 }).toBe(false);
      await expectRecovery();
    },
  );
});
