import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finished, Line } from './hosts.ts';
import { makeKey, startSshd, type Sshd } from './sshd.ts';

const root = resolve(import.meta.dirname, '../..');
let folder: string;
let good: Sshd;
let bad: Sshd;

const role = `import { defineRole, file, line, user, z } from 'hostwright';
export default defineRole({
  name: 'some',
  variables: z.object({}),
  listens: () => [{ port: 80, from: 'internet', why: 'a test' }],
  resources: ({ facts }) => [
    file('/etc/x', { content: 'wanted by ' + facts.hostname }), line('/etc/y', { line: 'x', match: '^A' }),
    user('mallory', { comment: 'wanted' }),
  ],
});
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-hostile.'));
  for (const name of ['home', 'roles/some']) mkdirSync(join(folder, name), { recursive: true });
  const authorized = makeKey(join(folder, 'key'));
  const hostile = `/usr/bin/python3 ${root}/test/lab/hostile-host.py "$(cat ${folder}/kind)"`;
  writeFileSync(join(folder, 'shell'), `#!/bin/sh\nexec ${hostile}\n`, { mode: 0o755 });
  bad = await startSshd({ authorized, config: `ForceCommand ${folder}/shell` });
  good = await startSshd({ authorized });
  writeFileSync(
    join(folder, 'known_hosts'),
    [good, bad].map((sshd) => `[127.0.0.1]:${sshd.port} ${sshd.hostKeys['ed25519']}\n`).join(''),
  );
  writeFileSync(join(folder, 'site.yml'), '- hosts: all\n  roles: [some]\n');
  writeFileSync(join(folder, 'roles/some/role.ts'), role);
  writeFileSync(
    join(folder, 'hosts.yml'),
    `all:
  hosts:
    good: {ansible_port: ${good.port}}
    bad: {ansible_port: ${bad.port}}
  vars:
    ansible_host: 127.0.0.1
    ansible_user: root
    ansible_become: true
    ansible_ssh_private_key_file: ${folder}/key
    ansible_ssh_common_args: -F none -o IdentityAgent=none -o UserKnownHostsFile=${folder}/known_hosts
`,
  );
});

afterAll(async () => {
  await Promise.all([good.stop(), bad.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

interface Measured extends Finished {
  /** The most memory that it ever had, in MiB. */
  readonly memory: number;
  readonly seconds: number;
}

async function hostwright(words: readonly string[]): Promise<Measured> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'bin/hostwright'), ...words], {
    cwd: root,
    env: { ...process.env, HOME: join(folder, 'home'), NO_COLOR: '1', LC_ALL: 'C.UTF-8' },
  });
  let [stdout, stderr, memory] = ['', '', 0];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const measure = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8');
      memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It has ended meanwhile.
    }
  }, 20);
  const code = await new Promise<number | null>((done) => child.once('close', done));
  clearInterval(measure);
  return { code, stdout, stderr, memory, seconds: (performance.now() - started) / 1000 };
}

/** C0 but line ends, DEL, C1, what turns or hides writing, and lone halves of characters. */
const reaching = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const files = (): readonly string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();

const kinds = [
  ['flood before it starts', 'E_SUDO'],
  ['garbage', 'E_REMOTE'],
  ['an endless line', 'E_REMOTE'],
  ['another word', 'E_REMOTE'],
  ['a failure with escapes', 'E_REMOTE'],
  ['readiness without end', 'E_REMOTE'],
  ['an answer before any question', 'E_REMOTE'],
  ['errors without end', 'E_REMOTE'],
  ['an answer to another question', 'E_REMOTE'],
  ['huge numbers', 'E_REMOTE'],
  ['numbers beyond all numbers', 'E_REMOTE'],
  ['an end in the middle', 'E_CONNECT'],
  ['more than was announced', 'E_REMOTE'],
  ['another count of answers', 'E_REMOTE'],
  ['a lock with escapes', 'E_LOCKED'],
  ['no Debian', 'E_PROBE'],
  ['facts of forty megabytes', 'E_PROBE'],
  ['a slow drip', 'E_CONNECT'],
  // What a probe says costs the resources that it is about, and nothing more.
  ['probes that fail with escapes', undefined],
  ['probes of garbage', undefined],
  ['probes of lines without end', undefined],
  ['deep JSON', undefined],
  // Not wrong in form: they are shown, and nothing more.
  ['states of megabytes', undefined],
] as const;

describe('a host that answers with', () => {
  it.each(kinds)('%s fails for itself alone', async (kind, code) => {
    writeFileSync(join(folder, 'kind'), kind);
    const before = files();
    const json = await hostwright(['plan', '-i', join(folder, 'hosts.yml'), '--json']);
    // Errors look the same beside JSON; what was understood is shown to people in its own way.
    const isUnderstood = code === undefined || code === 'E_PROBE';
    const runs = isUnderstood ? [json, await hostwright(['plan', '-i', join(folder, 'hosts.yml')])] : [json];
    const lines = json.stdout
      .split('\n')
      .slice(0, -1)
      .map((line): Line => JSON.parse(line) as Line);
    const errors = lines.filter((line) => line.type === 'error').map((line) => [line['host'], line['code']]);
    expect(errors, json.stderr.slice(-2000)).toEqual(code === undefined ? [] : [['bad', code]]);
    expect(lines.filter((line) => line.type === 'change' && line['host'] === 'good')).not.toHaveLength(0);
    for (const { stdout, stderr, memory, seconds } of runs) {
      expect(memory).toBeLessThan(700);
      expect(seconds).toBeLessThan(60);
      // A terminal is no place for megabytes.
      expect(stderr.length).toBeLessThan(20_000);
      expect(reaching.exec(stderr)).toBeNull();
      if (stdout === json.stdout) continue;
      expect(stdout).toContain('file /etc/x');
      expect([stdout.length < 100_000, reaching.exec(stdout)]).toEqual([true, null]);
    }
    expect(files()).toEqual(before);
  });
});
