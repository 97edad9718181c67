import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run, type Finished } from './hosts.ts';
import { makeFolder } from './sshd.ts';

const command = resolve(import.meta.dirname, '../../bin/hostwright');
const memory = '/dev/shm/hostwright-edit-test';

let folder: string;
let remove: () => void;
let environment: NodeJS.ProcessEnv;

/** An editor in shell, whose first argument is the file; what it says goes to `seen`. */
function editor(script: string): string {
  const file = join(folder, 'editor');
  writeFileSync(file, `#!/bin/sh\nset -eu\nseen='${folder}/seen'\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

const secrets = (words: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Finished> =>
  run(command, ['secrets', ...words], { env: { ...environment, ...env }, input });

const edit = (script: string, env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  secrets(['edit', 'password'], { EDITOR: editor(script), ...env });

const seen = (): string => readFileSync(join(folder, 'seen'), 'utf8');
const stored = (): string => readFileSync(join(folder, 'inventory/group_vars/all/secrets.yml'), 'utf8');

/** What edits one after the other find in their file. */
async function value(): Promise<string> {
  await edit('cat "$1" >"$seen"');
  return seen();
}

beforeEach(async () => {
  ({ folder, remove } = makeFolder());
  mkdirSync(join(folder, 'inventory'));
  mkdirSync(memory, { mode: 0o700 });
  writeFileSync(join(folder, 'inventory/hosts.yml'), 'all:\n  hosts:\n    web1:\n');
  environment = {
    PATH: process.env['PATH'],
    HOME: folder,
    XDG_RUNTIME_DIR: memory,
    HOSTWRIGHT_INVENTORY: join(folder, 'inventory'),
    HOSTWRIGHT_IDENTITY: join(folder, 'identity.txt'),
  };
  await secrets(['set', 'password'], {}, 'hunter2');
});

afterEach(() => {
  // Whatever happened, nothing in the clear is left in memory, nor anywhere else below the folder.
  expect(readdirSync(memory)).toEqual([]);
  rmSync(memory, { recursive: true });
  remove();
});

it('opens the value in a file for the user alone, in memory, and stores what became of it', async () => {
  const edited = await edit(
    `stat -c '%a' "$1" "\${1%/*}" >"$seen"; stat -f -c %T "$1" >>"$seen"; echo "$1" >>"$seen"; echo '#2' >>"$1"`,
  );
  expect(edited.code, edited.stderr).toBe(0);
  expect(seen()).toMatch(new RegExp(`^600\n700\ntmpfs\n${memory}/hostwright-\\w+/password\n$`));
  expect(await value()).toBe('hunter2\n#2\n');
  expect(edited.stdout + edited.stderr + stored()).not.toContain('hunter');
});

it('takes away the line end that an editor adds, and leaves one that the value has', async () => {
  await edit(`printf 'new\\n' >"$1"`);
  const before = stored();
  // A line end more or less in the editor is the same value.
  await edit(`printf 'new' >"$1"`);
  expect(stored()).toBe(before);
  await secrets(['set', 'password'], {}, 'key\n\n');
  const key = stored();
  await edit('cat "$1" >"$seen"');
  expect(seen()).toBe('key\n');
  expect(stored()).toBe(key);
});

it.each<readonly [string, string] | readonly [string, string, NodeJS.ProcessEnv]>([
  ['fails', 'echo broken >"$1"; exit 3'],
  ['is not there', '', { EDITOR: '/nowhere/editor' }],
  ['ends by a signal', 'echo broken >"$1"; kill -SEGV $$'],
  ['leaves no text', ': >"$1"'],
  ['removes the file', 'rm "$1"'],
  ['leaves what is no text', String.raw`printf '\377\376' >"$1"`],
])('changes nothing when the editor %s', async (_what, script, env = {}) => {
  const before = stored();
  const edited = await edit(script, env);
  expect(edited.code).toBe(4);
  expect(edited.stderr).toContain('E_SECRET');
  expect(edited.stderr).toContain('no changes made');
  expect(edited.stdout + edited.stderr).not.toContain('hunter');
  expect(stored()).toBe(before);
});

it('refuses where there is no memory to keep the clear text in', async () => {
  // Of the machine, /dev/shm is hidden in a namespace of its own.
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const hidden = `mount --bind '${disk}' /dev/shm && exec '${command}' secrets edit password`;
  const env = { ...environment, XDG_RUNTIME_DIR: disk, EDITOR: editor('touch "$seen"') };
  const edited = await run('unshare', ['-m', 'sh', '-c', hidden], { env });
  expect(edited.code).toBe(4);
  expect(edited.stderr).toContain('no folder in memory for the plain text');
  expect(readdirSync(disk)).toEqual([]);
  expect(existsSync(join(folder, 'seen'))).toBe(false);
});

/** Starts an edit whose editor waits; gives it once the clear text lies there. */
async function waiting(words: readonly string[]): Promise<ChildProcess> {
  const script = 'echo draft >"$1"; echo $$ >"$seen.new"; mv "$seen.new" "$seen"; exec sleep 300';
  const child = spawn(words[0] ?? '', words.slice(1), {
    env: { ...environment, EDITOR: editor(script) },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await expect.poll(() => existsSync(join(folder, 'seen')), { timeout: 20_000 }).toBe(true);
  expect(readdirSync(memory)).toHaveLength(1);
  return child;
}

const ended = (child: ChildProcess): Promise<unknown> => new Promise((done) => child.once('close', done));

it.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)('leaves no clear text after %s', async (signal) => {
  const before = stored();
  const child = await waiting([command, 'secrets', 'edit', 'password']);
  const end = ended(child);
  const editing = Number(seen());
  child.kill(signal);
  await end;
  await expect.poll(() => readdirSync(memory), { timeout: 10_000 }).toEqual([]);
  expect(stored()).toBe(before);
  // The editor outlives a process that had no time to end it.
  if (signal === 'SIGKILL') process.kill(editing);
});

it('leaves no clear text after Ctrl-C, and changes nothing', async () => {
  const before = stored();
  const session = await waiting(['script', '-qec', `${command} secrets edit password`, '/dev/null']);
  const end = ended(session);
  session.stdin?.write('\u0003');
  await end;
  await expect.poll(() => readdirSync(memory), { timeout: 10_000 }).toEqual([]);
  expect(stored()).toBe(before);
});
