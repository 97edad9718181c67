import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appRelease, gitRelease, type Resource } from '../../src/index.ts';
import type { Actual } from '../../src/resources/state.ts';
import type { Script } from '../../src/transport/shell.ts';

let work: string;
let url: string;
let first: string;

function git(...words: readonly string[]): string {
  const identity = ['-c', 'user.name=anna', '-c', 'user.email=anna@example.org'];
  return execFileSync('git', [...identity, ...words], {
    cwd: join(work, 'repository'),
    encoding: 'utf8',
  }).trim();
}

/** A repository of two commits on `main`, the first with the tag v1. */
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'hostwright-git-'));
  url = `file://${join(work, 'repository')}`;
  mkdirSync(join(work, 'repository'));
  git('init', '--quiet', '--initial-branch=main');
  for (const content of ['one', 'two']) {
    writeFileSync(join(work, 'repository/word'), content);
    git('add', '.');
    git('commit', '--quiet', '--message', content);
    if (content === 'one') git('tag', '--annotate', '--message=first', 'v1');
  }
  first = git('rev-parse', 'main^');
});

afterAll(() => {
  rmSync(work, { recursive: true });
});

/** On this machine: fetching needs no host, and no root. */
function run(script: Script): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const scratch = mkdtempSync(join(work, 'scratch-'));
  return spawnSync('sh', ['-eu', '-c', script.text], {
    cwd: '/',
    encoding: 'utf8',
    env: { ...process.env, HW: scratch, LC_ALL: 'C.UTF-8' },
  });
}

function probe({ type, attributes }: Resource): Actual | undefined {
  const desired = type.schema.parse(attributes);
  const { script, parse } = type.probe([desired]);
  return parse(Buffer.from(run(script).stdout))[0];
}

function apply({ type, attributes }: Resource): string {
  const desired = type.schema.parse(attributes);
  const change = { id: 'app_release:x', desired, action: 'create', actual: null, attributes: [] } as const;
  const [step] = type.apply([change], { declared: () => [] });
  if (step === undefined || 'converse' in step) throw new Error('no step');
  const { status, stderr } = run(step.script);
  return status === 0 ? '' : stderr;
}

function release(name: string, version: string): { readonly resource: Resource; readonly folder: string } {
  const folder = join(work, name);
  return { resource: appRelease(folder, gitRelease(url, version)), folder };
}

test.each([
  ['a tag', () => 'v1'],
  ['a commit', () => first],
])('git: %s is fetched, recorded, and as it was released afterwards', (name, version) => {
  const { resource, folder } = release(name.replace(' ', '-'), version());
  expect(probe(resource)).toBeNull();
  expect(apply(resource)).toBe('');
  expect(probe(resource)).toMatchObject({ content: 'intact' });
  const [only, ...others] = readdirSync(join(folder, 'releases'));
  expect(others).toEqual([]);
  const at = join(folder, 'releases', only ?? '');
  expect(readdirSync(at)).toEqual(['.hostwright-release', 'word']);
  expect(readFileSync(join(at, 'word'), 'utf8')).toBe('one');
  expect(readFileSync(join(at, '.hostwright-release'), 'utf8')).toContain(`commit ${first}\n`);
  writeFileSync(join(at, 'word'), 'changed');
  expect(probe(resource)).toMatchObject({ content: 'damaged' });
});

test('git: a commit that the repository does not have leaves nothing of the attempt', () => {
  const { resource, folder } = release('gone', first.replaceAll(/./g, 'a'));
  expect(apply(resource)).toContain('aaaa');
  expect(readdirSync(join(folder, 'releases'))).toEqual([]);
});

test('git: a commit that no tag or branch has any more is fetched where the tag has been moved', () => {
  const { resource } = release('moved', first);
  git('tag', '--force', '--annotate', '--message=moved', 'v1', 'main');
  expect(apply(resource)).toBe('');
  git('tag', '--force', '--annotate', '--message=first', 'v1', first);
});

test('git: a record in the repository is not deployed, and does not spoil the release', () => {
  const { record } = { record: join(work, 'repository/.hostwright-release') };
  mkdirSync(record);
  writeFileSync(join(record, 'note'), 'mine');
  git('add', '.');
  git('commit', '--quiet', '--message', 'record');
  const { resource } = release('record', git('rev-parse', 'main'));
  expect(apply(resource)).toBe('');
  expect(probe(resource)).toMatchObject({ content: 'intact' });
  git('reset', '--quiet', '--hard', 'HEAD^');
});

test.each([
  ['https://user:password@example.org/app.git', 'v1', 'without a name or password'],
  ['--upload-pack=touch /tmp/pwned', 'v1', 'the URL of a git repository'],
  ['ext::sh -c touch% /tmp/pwned', 'v1', 'the URL of a git repository'],
  ['https://example.org/app.git', '--all', 'a full commit id or a tag'],
  ['https://example.org/app.git', 'v1..v2', 'a full commit id or a tag'],
])('git: %s at %s is refused', (from, version, expected) => {
  const { type, attributes } = appRelease('/srv/app', {
    kind: 'git',
    name: 'x',
    url: from,
    version,
    commit: '',
  });
  expect(type.schema.safeParse(attributes).error?.message).toContain(expected);
});
