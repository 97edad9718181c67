import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bareHosts, jsonLines, type Finished, type Line, type TestHosts } from './hosts.ts';

let hosts: TestHosts;
let project: string;

const password = 'correct-horse-battery-staple-0815';

const role = `
import { action, defineRole, file, HostwrightError, secret, sh, z } from 'hostwright';
const note = '/srv/note';
export default defineRole({
  name: 'toy',
  variables: z.object({ toy_word: z.string().default('x'), toy_secret: secret() }),
  resources: ({ vars }) => [file('/etc/toy', { content: vars.toy_word })],
  actions: {
    look: action({
      on: 'site', summary: 'show the notes', arguments: z.object({}),
      read: async ({ hosts }) => ({
        rows: await Promise.all(hosts.map(async (host) =>
          ({ host: host.name, note: (await host.run(sh\`cat \${note} 2>/dev/null || echo none\`)).trim() }))),
        remarks: hosts.map(({ vars }) => 'the secret is ' + vars.toy_secret.reveal()),
      }),
    }),
    write: action({
      on: 'host', summary: 'write a note', arguments: z.object({
        word: z.string(), then: z.string().default('true'), verified: z.string().default('yes'),
      }),
      plan: async ({ host, args }) => {
        const before = (await host.run(sh\`cat \${note} 2>/dev/null || :\`)).trim();
        if (before === 'locked') throw new HostwrightError('E_REFUSED', 'the note is locked', {
          place: { host: host.name }, hint: 'unlock it' });
        return {
          steps: [
            {
              host: host.name, title: 'write ' + args.word,
              run: async () => { await host.run(sh\`cat >\${note}\`, { stdin: args.word }); },
              undo: { title: 'restore the note', run: async () => { await host.run(sh\`echo \${before} >\${note}\`); } },
            },
            {
              host: host.name, title: 'go on',
              run: async () => {
                await host.run(sh\`read -r word; \${['eval', args.then]}\`, { stdin: host.vars.toy_secret.reveal() + '\\n', timeout: 20 });
              },
            },
            { host: host.name, title: 'the last', run: async () => {} },
          ],
          verify: async () => {
            if (args.verified !== 'yes') throw new HostwrightError('E_REMOTE', 'it is not so');
            return 'the note says ' + (await host.run(sh\`cat \${note}\`));
          },
          sets: [{ name: 'toy_word', value: args.word, group: 'web' }],
          apply: { roles: ['toy'] },
        };
      },
    }),
  },
});
`;

const act = (...words: readonly string[]): Promise<Finished> =>
  hosts.hostwright('do', '-i', join(project, 'hosts.yml'), 'toy', ...words);

const write = (...words: readonly string[]): Promise<Finished> =>
  act('write', 'web1', ...words, '--yes', '--json');

const note = async (): Promise<string> => (await hosts.shell('web1', 'cat /srv/note')).trim();

function outcomesOf(finished: Finished): readonly string[] {
  return jsonLines(finished)
    .filter(({ type }) => type === 'action-step')
    .map(({ title, outcome }) => `${String(title).replace(project, '')}: ${String(outcome)}`);
}

const unwritten = 'write /group_vars/web.yml: skipped';

const last = (finished: Finished): Line | undefined => jsonLines(finished).at(-1);

beforeAll(async () => {
  hosts = await bareHosts('actions', '10.213.82', 1);
  project = await mkdtemp(join(tmpdir(), 'hostwright-do-'));
  await mkdir(join(project, 'roles/toy'), { recursive: true });
  await writeFile(join(project, 'roles/toy/role.ts'), role);
  const inventory = await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8');
  await writeFile(
    join(project, 'hosts.yml'),
    inventory.replace('  vars:\n', `  vars:\n    toy_secret: ${password}\n`),
  );
  await writeFile(join(project, 'site.yml'), '- hosts: web\n  roles: [toy]\n');
});

beforeEach(async () => {
  await rm(join(project, 'group_vars'), { recursive: true, force: true });
  await hosts.shell('web1', 'echo before >/srv/note; rm -f /etc/toy /run/held');
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

describe('an action', () => {
  it('shows what it will do, does it, verifies it, and applies what it says', async () => {
    const done = await write('--word', 'after');
    expect(done.code, done.stderr).toBe(0);
    const types = jsonLines(done).map(({ type }) => type);
    expect(types).toEqual([
      ...['preview', 'action-step', 'action-step', 'action-step', 'action-step'],
      ...['change', 'result', 'summary', 'outcome'],
    ]);
    const file = join(project, 'group_vars/web.yml');
    expect(jsonLines(done)[0]).toMatchObject({
      edits: [{ file, diff: '@@ -0,0 +1,1 @@\n+toy_word: after' }],
      apply: { hosts: ['web1'], roles: ['toy'] },
    });
    expect(await readFile(file, 'utf8')).toBe('toy_word: after\n');
    expect(last(done)).toMatchObject({ ok: true, text: 'the note says after' });
    expect(await note()).toBe('after');
    expect(await hosts.shell('web1', 'cat /etc/toy')).toBe('after');
  });

  it('asks on a terminal, and takes no answer but yes', async () => {
    const words = `bin/hostwright do -i ${join(project, 'hosts.yml')} toy write web1 --word after`;
    const answered = async (answer: string): Promise<string> => {
      const session = spawn('script', ['-qec', words, '/dev/null'], { env: hosts.environment });
      let shown = '';
      session.stdout.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
        if (shown.includes('Do this?') && session.stdin.writable) session.stdin.end(`${answer}\n`);
      });
      await new Promise((done) => session.once('close', done));
      return shown;
    };
    expect(await answered('n')).toContain('nothing was done');
    expect(await note()).toBe('before');
    expect(await answered('y')).toContain('the note says after');
    expect(await note()).toBe('after');
  });

  it('that refuses changes nothing, and says why', async () => {
    await hosts.shell('web1', 'echo locked >/srv/note');
    const refused = await write('--word', 'after');
    expect(refused.code).toBe(1);
    expect(jsonLines(refused)).toMatchObject([
      { type: 'error', code: 'E_REFUSED', message: 'the note is locked', hint: 'unlock it' },
      { type: 'outcome', ok: false },
    ]);
    expect(await note()).toBe('locked');
  });

  it('that fails rolls back what it had done, and applies nothing', async () => {
    const failed = await write('--word', 'after', '--then', 'echo cannot go on >&2; exit 3');
    expect(failed.code).toBe(1);
    expect(outcomesOf(failed)).toEqual([
      ...['write after: done', 'go on: failed', 'the last: skipped', unwritten, 'restore the note: undone'],
    ]);
    expect(jsonLines(failed).find(({ type }) => type === 'error')).toMatchObject({ message: 'cannot go on' });
    expect(last(failed)).toMatchObject({ type: 'outcome', ok: false });
    expect(await note()).toBe('before');
    expect(await hosts.shell('web1', 'ls /etc/toy 2>/dev/null || echo none')).toBe('none\n');
  });

  it('that did not reach what it should has failed', async () => {
    const failed = await write('--word', 'after', '--verified', 'no');
    expect(failed.code).toBe(1);
    expect(jsonLines(failed).at(-2)).toMatchObject({ type: 'error', message: 'it is not so' });
    expect(last(failed)).toMatchObject({ type: 'outcome', ok: false });
  });

  it('finishes its step after Ctrl-C, rolls back and says so', async () => {
    const words = ['do', '-i', join(project, 'hosts.yml'), 'toy', 'write', 'web1', '--word', 'after'];
    const held = ': >/run/held; until [ ! -e /run/held ]; do sleep 0.1; done; echo went on >/srv/went';
    const child = spawn(process.execPath, ['bin/hostwright', ...words, '--then', held, '--yes', '--json'], {
      env: hosts.environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const ended = new Promise<number | null>((done) => child.once('close', done));
    await hosts.shell('web1', 'until [ -e /run/held ]; do sleep 0.1; done');
    child.kill('SIGINT');
    await hosts.shell('web1', 'rm /run/held');
    const finished = { code: await ended, stdout, stderr: '' };
    expect(finished.code).toBe(130);
    expect(outcomesOf(finished)).toEqual([
      ...['write after: done', 'go on: done', 'the last: skipped', unwritten, 'restore the note: undone'],
    ]);
    expect(last(finished)).toMatchObject({ type: 'outcome', ok: false, interrupted: true });
    expect(await hosts.shell('web1', 'cat /srv/went')).toBe('went on\n');
    expect(await note()).toBe('before');
  });

  it('says of a lost connection what was done, and rolls back by a fresh one', async () => {
    const lost = await write('--word', 'after', '--then', 'pkill -KILL -x sshd-session; sleep 2');
    expect(lost.code).toBe(3);
    expect(outcomesOf(lost)).toEqual([
      ...['write after: done', 'go on: failed', 'the last: skipped', unwritten, 'restore the note: undone'],
    ]);
    expect(jsonLines(lost).find(({ type }) => type === 'error')).toMatchObject({ code: 'E_CONNECT' });
    expect(last(lost)).toMatchObject({ type: 'outcome', ok: false });
    expect(await note()).toBe('before');
  });

  it('stays away from a host that another run changes; one that reads does not mind', async () => {
    const holder = `exec 9>/run/hostwright/lock; flock 9; : >/run/held; until [ ! -e /run/held ]; do sleep 0.1; done`;
    const holding = hosts.shell('web1', holder);
    await hosts.shell('web1', 'until [ -e /run/held ]; do sleep 0.1; done');
    const locked = await write('--word', 'after');
    expect(jsonLines(locked)).toMatchObject([
      { type: 'error', code: 'E_LOCKED' },
      { type: 'outcome', ok: false },
    ]);
    expect(locked.code).toBe(1);
    const look = await act('look');
    expect(look.stdout).toContain('web1  before');
    await hosts.shell('web1', 'rm /run/held');
    await holding;
  });

  it('prints no secret of the site, whatever it or a program says', async () => {
    const finished = [
      await act('look'),
      await act('look', '--json'),
      await write('--word', password),
      await write('--word', 'x', '--then', 'echo "the word is $word" >&2; exit 1'),
    ];
    expect(finished.map(({ stdout, stderr }) => stdout + stderr).join('')).not.toContain(password);
    expect(finished[0]?.stdout).toContain('the secret is ***');
  });
});
