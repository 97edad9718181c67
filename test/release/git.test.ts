import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { gitRelease } from '../../src/release/git.ts';

let work: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'hostwright-git-release-'));
});

afterAll(() => {
  rmSync(work, { recursive: true });
});

interface Repository {
  readonly url: string;
  readonly git: (...words: readonly string[]) => string;
}

/** A repository of two commits on `main`, the first with the tags v1 (annotated), release/1 and light. */
function repository(name: string): Repository {
  const folder = join(work, name);
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', folder]);
  const git = (...words: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=anna', '-c', 'user.email=anna@example.org', ...words], {
      cwd: folder,
      encoding: 'utf8',
    }).trim();
  for (const content of ['one', 'two']) {
    writeFileSync(join(folder, 'word'), content);
    git('add', '.');
    git('commit', '--quiet', '--message', content);
    if (content === 'one') {
      git('tag', '--annotate', '--message=first', 'v1');
      git('tag', 'release/1');
    }
  }
  return { url: `file://${folder}`, git };
}

/** The commit of `version`, as another worker of a run with that folder finds it, or another run. */
async function elsewhere(url: string, version: string, folder?: string): Promise<string> {
  vi.resetModules();
  vi.stubEnv('HOSTWRIGHT_RUN', folder);
  const other = await import('../../src/release/git.ts');
  return other.gitRelease(url, version).commit;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a release of git', () => {
  it('has the commit of its tag in its name, whatever kind of tag it is', () => {
    const { url, git } = repository('tags');
    const first = git('rev-parse', 'main^');
    for (const tag of ['v1', 'release/1']) {
      const release = gitRelease(url, tag);
      expect(release).toMatchObject({ version: tag, commit: first });
      expect(release.name).toBe(`${tag.replace('/', '-')}-${first.slice(0, 16)}`);
    }
    expect(gitRelease(url, first)).toMatchObject({ commit: first, version: first });
  });

  it('is another one once its tag has moved, and the same for the rest of the run', async () => {
    const { url, git } = repository('moved');
    const [first, second] = [git('rev-parse', 'main^'), git('rev-parse', 'main')];
    const before = gitRelease(url, 'v1');
    git('tag', '--force', '--annotate', '--message=moved', 'v1', 'main');
    expect(gitRelease(url, 'v1')).toEqual(before);
    expect(before.commit).toBe(first);
    expect(await elsewhere(url, 'v1')).toBe(second);
  });

  it('is the same in all workers of a run, whichever asks first', async () => {
    const { url, git } = repository('workers');
    const first = git('rev-parse', 'main^');
    const folder = mkdtempSync(join(work, 'run-'));
    expect(await elsewhere(url, 'v1', folder)).toBe(first);
    git('tag', '--force', '--annotate', '--message=moved', 'v1', 'main');
    expect(await elsewhere(url, 'v1', folder)).toBe(first);
  });

  it('is none of a branch, of a missing tag, and of a repository that cannot be read', () => {
    const { url } = repository('branch');
    const unknown = (from: string, version: string, found: RegExp): void => {
      expect(() => gitRelease(from, version)).toThrow(
        expect.objectContaining({ code: 'E_RESOURCE', found: expect.stringMatching(found) }),
      );
    };
    unknown(url, 'main', /no such tag/);
    unknown(url, 'v2', /no such tag/);
    unknown(`file://${work}/nowhere`, 'v1', /does not|could not|not appear/i);
  });
});
