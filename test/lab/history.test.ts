import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { jsonLines, run, type Finished, type Line } from './hosts.ts';
import { makeFolder, makeKey, startSshd, type Sshd } from './sshd.ts';

// On the machine's own sshd, which sees folders of its own: no host is booted.
const command = resolve(import.meta.dirname, '../../bin/hostwright');
const { folder, remove } = makeFolder();
const key = join(folder, 'key');
let sshd: Sshd;

const role = `
import { command, defineRole, file, z } from 'hostwright';
export default defineRole({
  name: 'kept',
  variables: z.object({ word: z.string().default('first'), wait: z.boolean().default(false), fail: z.boolean().default(false) }),
  resources: ({ vars }) => [
    file('/srv/kept', { content: vars.word }),
    ...(vars.fail ? [command('fail', { run: ['false'], unless: ['false'] }), command('after', { run: ['true'], unless: ['false'] }, { needs: ['command:fail'] })] : []),
    ...(vars.wait ? [command('wait', { run: ['sh', '-c', 'touch ${folder}/waits; until [ -e ${folder}/go ]; do sleep 0.1; done; touch /srv/waited'], creates: '/srv/waited' })] : []),
  ],
});
`;

beforeAll(async () => {
  const authorized = makeKey(key);
  const own = ['/var/lib/hostwright', '/run/hostwright', '/srv'];
  const mounts = own.map((path) => `mkdir -p ${path}\nmount -t tmpfs -o mode=700 tmpfs ${path}`);
  sshd = await startSshd({ authorized, prepare: mounts.join('\n') });
  await mkdir(join(folder, 'roles/kept'), { recursive: true });
  await writeFile(join(folder, 'roles/kept/role.ts'), role);
  await writeFile(join(folder, 'site.yml'), '- hosts: all\n  roles: [kept]\n');
  await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${sshd.port} ${sshd.hostKeys['ed25519']}\n`);
  const args = `-F none -o UserKnownHostsFile=${folder}/known_hosts -o IdentityAgent=none`;
  await writeFile(
    join(folder, 'hosts.yml'),
    JSON.stringify({
      all: {
        hosts: { web1: { ansible_host: '127.0.0.1', ansible_port: sshd.port } },
        vars: {
          ansible_user: 'root',
          ansible_ssh_private_key_file: key,
          ansible_ssh_common_args: args,
        },
      },
    }),
  );
});

afterAll(async () => {
  await sshd.stop();
  remove();
});

function hostwright(verb: string, ...words: readonly string[]): Promise<Finished> {
  const all = [verb, '-i', join(folder, 'hosts.yml'), ...words];
  return run(command, all, { env: { ...process.env, NO_COLOR: '1' } });
}

async function apply(variables: object): Promise<Finished> {
  const report = ['--report', join(folder, 'report.html')];
  return await hostwright('apply', '--yes', '--json', ...report, '-e', JSON.stringify(variables));
}

async function last(): Promise<Line | undefined> {
  const read = await hostwright('history', 'web1', '--last', '1', '--json');
  expect(read.code, read.stderr).toBe(0);
  return jsonLines(read)[0];
}

function roundTrips(finished: Finished): unknown {
  const summary = jsonLines(finished).at(-1) as { hosts?: Record<string, { roundTrips: number }> };
  return summary.hosts?.['web1']?.roundTrips;
}

it('keeps what an apply has changed, failed and skipped', async () => {
  const done = await apply({ fail: true });
  expect(done.code, done.stderr).toBe(1);
  const page = await readFile(join(folder, 'report.html'), 'utf8');
  expect(page).toContain('"resource":"command:fail","action":"run"');
  expect(await last()).toMatchObject({
    ...{ type: 'history', host: 'web1', verb: 'apply', state: 'failed', from: '127.0.0.1', more: 0 },
    who: expect.stringMatching(/^[^@]+@.+/) as unknown,
    changes: expect.arrayContaining([
      { resource: 'file:/srv/kept', action: 'create', outcome: 'changed' },
      { resource: 'command:fail', action: 'run', outcome: 'failed' },
      { resource: 'command:after', outcome: 'skipped' },
    ]) as unknown,
  });
});

it('costs one that changes nothing no request, and shows that it looked', async () => {
  const before = await apply({});
  expect(before.code, before.stderr).toBe(0);
  const idle = await apply({});
  expect(roundTrips(idle)).toBe(2);
  const looked = await last();
  expect(looked).toMatchObject({ state: 'unchanged', changes: [] });
  // The earlier runs are still there; of those that only looked, the last.
  const all = jsonLines(await hostwright('history', '--json'));
  expect(all.filter(({ state }) => state === 'unchanged')).toHaveLength(1);
  expect(all[0]).toMatchObject({ state: 'failed' });
  expect(jsonLines(await hostwright('history', '--since', '2100-01-01', '--json'))).toEqual([]);
});

it('shows what one had begun whose controller was killed', async () => {
  const words = ['apply', '--yes', '-i', join(folder, 'hosts.yml'), '-e', '{"wait":true,"word":"second"}'];
  const controller = spawn(command, words, { stdio: 'ignore' });
  await vi.waitFor(() => expect(existsSync(join(folder, 'waits'))).toBe(true), { timeout: 60_000 });
  controller.kill('SIGKILL');
  const open = await last();
  await writeFile(join(folder, 'go'), '');
  expect(open).toMatchObject({
    state: 'open',
    changes: expect.arrayContaining([
      { resource: 'file:/srv/kept', action: 'update', outcome: 'begun' },
      { resource: 'command:wait', action: 'run', outcome: 'begun' },
    ]) as unknown,
  });
  expect((await hostwright('history', '--last', '1')).stdout).toContain(
    'web1  no end is recorded: the run was cut off, or goes on; begun: file /srv/kept, command wait',
  );
});
