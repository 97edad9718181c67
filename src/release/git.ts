import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { shownDigits, type GitRelease } from './release.ts';

/** A repository as `git fetch` takes it; a password in it would stand in plans and process lists. */
export const gitUrl =
  /^(?:(?:https?|git|file):\/\/(?![^/]*@)[^\s\0]+|ssh:\/\/[^\s\0]+|[\w.-]+@[\w.-]+:[^\s\0]+)$/;
export const gitVersion = /^(?!.*\.\.)(?!.*\.lock$)\w[\w./+@-]*$/;

export const gitCommit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

function unresolved(url: string, tag: string, found: string): HostwrightError {
  return new HostwrightError('E_RESOURCE', `the commit of the tag ${tag} of ${url} is unknown`, {
    found,
    expected: 'a full commit id, or a tag of a repository that this machine can read with git',
    hint: `try git ls-remote ${url} 'refs/tags/${tag}'; without access to the repository use a full commit id`,
  });
}

const patience = 60_000;

/** What git said, or why it could not be run. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  if (said !== '') return said.slice(0, 500);
  return error instanceof Error ? error.message : String(error);
}

/** The commit that a tag is now; of an annotated tag, the one behind it. */
function askRepository(url: string, tag: string): string {
  const reference = `refs/tags/${tag}`;
  const words = ['ls-remote', '--quiet', '--', url, reference, `${reference}^{}`];
  const env = { GIT_SSH_COMMAND: 'ssh -o BatchMode=yes', ...process.env, GIT_TERMINAL_PROMPT: '0' };
  let answer: string;
  try {
    answer = execFileSync('git', words, { env, encoding: 'utf8', timeout: patience, stdio: 'pipe' });
  } catch (error) {
    throw unresolved(url, tag, reasonOf(error));
  }
  const commits = new Map(
    answer.split('\n').map((line): [string, string] => {
      const [commit = '', name = ''] = line.split('\t');
      return [name, commit];
    }),
  );
  const commit = commits.get(`${reference}^{}`) ?? commits.get(reference);
  if (commit === undefined || !gitCommit.test(commit)) throw unresolved(url, tag, 'there is no such tag');
  return commit;
}

/** Names the folder that the processes of one run share; set for workers only. */
export const sharedFolder = 'HOSTWRIGHT_RUN';

const known = new Map<string, string>();

/** What the first of several processes has found, which is then what all of them use. */
function agreed(file: string, find: () => string): string {
  const read = (): string | undefined => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return undefined;
    }
  };
  const before = read();
  if (before !== undefined) return before;
  const own = `${file}.${randomUUID()}`;
  writeFileSync(own, find());
  try {
    linkSync(own, file);
  } catch {
    // Another process was faster.
  }
  rmSync(own);
  return read() ?? find();
}

/** The commit of a tag, the same for a whole run, also where the tag moves meanwhile. E_RESOURCE where it is unknown. */
function commitOf(url: string, tag: string): string {
  const key = createHash('sha256').update(`${url}\0${tag}`).digest('hex');
  const folder = process.env[sharedFolder];
  const find = (): string => askRepository(url, tag);
  const commit = known.get(key) ?? (folder === undefined ? find() : agreed(join(folder, key), find));
  known.set(key, commit);
  return commit;
}

/**
 * A full commit id, or a tag, of a repository; a branch is none, because it moves between plan and apply. The
 * commit of a tag is asked of the repository once in a run, and is part of the name: a tag that has moved is another
 * release. E_RESOURCE where this machine cannot find it out.
 */
export function gitRelease(url: string, version: string): GitRelease {
  if (gitCommit.test(version)) {
    const digest = createHash('sha256').update(`${url} ${version}`).digest('hex');
    return {
      ...{ kind: 'git', name: `${version.slice(0, shownDigits)}-${digest.slice(0, 8)}`, url, version },
      commit: version,
    };
  }
  // What is neither a repository nor a version is refused with its place, by the schema of the resource.
  const isAsked = gitUrl.test(url) && gitVersion.test(version);
  const commit = isAsked ? commitOf(url, version) : '';
  return {
    ...{ kind: 'git', url, version, commit },
    name: `${version.replaceAll('/', '-')}-${commit.slice(0, shownDigits)}`,
  };
}
