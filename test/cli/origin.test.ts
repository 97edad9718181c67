import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { originOf } from '../../src/cli/origin.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostwright-origin-'));
  await mkdir(join(folder, 'inventory'));
  await writeFile(join(folder, 'inventory/hosts.yml'), 'all:\n');
});

afterEach(() => rm(folder, { recursive: true }));

function git(...words: readonly string[]): string {
  const author = ['-c', 'user.name=anna', '-c', 'user.email=anna@example.org'];
  return execFileSync('git', ['-C', folder, ...author, ...words], { encoding: 'utf8' }).trim();
}

const start = new Date('2026-11-22T10:00:00.123Z');
const at = (inventory: string) => originOf({ inventory: join(folder, inventory) }, start);

it('says which commit the inventory is at, and whether it is as committed', async () => {
  git('init', '-q');
  expect(await at('inventory')).not.toHaveProperty('commit');
  git('add', '.');
  git('commit', '-q', '-m', 'all');
  const commit = git('rev-parse', 'HEAD');
  expect(await at('inventory')).toMatchObject({ commit, isClean: true });
  expect(await at('inventory/hosts.yml')).toMatchObject({ commit, isClean: true });
  await writeFile(join(folder, 'site.yml'), '');
  expect(await at('inventory')).toMatchObject({ commit, isClean: false });
});

it('runs no program that the repository names', async () => {
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'all');
  git('config', 'core.fsmonitor', `touch ${join(folder, 'ran')}; echo`);
  expect(await at('inventory')).toMatchObject({ isClean: true });
});

it('says who runs what and when, with and without a repository', async () => {
  const origin = await originOf(
    { inventory: join(folder, 'inventory'), limit: 'web', shard: { index: 2, count: 5 }, role: ['app'] },
    start,
  );
  expect(origin).toEqual({
    id: expect.stringMatching(/^20261122T100000Z-[0-9a-f]{8}$/),
    start: '2026-11-22T10:00:00.123Z',
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    who: expect.stringMatching(/^[^@]+@.+$/),
    inventory: join(folder, 'inventory'),
    limit: 'web',
    shard: '2/5',
    roles: ['app'],
  });
  expect(await at('missing/hosts.yml')).toMatchObject({ inventory: join(folder, 'missing/hosts.yml') });
});
