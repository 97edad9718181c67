import { dirname } from 'node:path/posix';
import { list, type ReadEntry } from 'tar';
import { HostwrightError } from '../errors.ts';
import type { ReleaseEntry } from './release.ts';

function refuse(archive: string, found: string): HostwrightError {
  return new HostwrightError('E_RESOURCE', 'the archive is not a release', {
    place: { file: archive },
    found,
    expected: 'files, folders and links with relative paths',
  });
}

/** `./a//b/` as `a/b`; undefined for the root itself. */
function cleanPath(archive: string, path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..')) throw refuse(archive, `the path ${path}`);
  // What the bytes were that are no UTF-8 is lost.
  if (path.includes('\uFFFD')) throw refuse(archive, `a name that is not UTF-8: ${path}`);
  return parts.length === 0 ? undefined : parts.join('/');
}

type Found = Map<string, ReleaseEntry>;

const regular = new Set(['File', 'OldFile', 'ContiguousFile']);

function readOne(
  archive: string,
  path: string,
  entry: ReadEntry,
  content: Buffer,
  found: Found,
): ReleaseEntry {
  if (regular.has(entry.type)) {
    return { kind: 'file', path, content, executable: ((entry.mode ?? 0) & 0o100) !== 0 };
  }
  if (entry.type === 'Directory') return { kind: 'directory', path };
  if (entry.type === 'SymbolicLink') return { kind: 'link', path, to: entry.linkpath ?? '' };
  if (entry.type !== 'Link') throw refuse(archive, `${path} of the type ${entry.type}`);
  const target = found.get(cleanPath(archive, entry.linkpath ?? '') ?? '');
  if (target?.kind !== 'file') throw refuse(archive, `${path}, a hard link to a missing file`);
  return { ...target, path };
}

/** Folders that an archive leaves out; nothing may lie below a file or a link. */
function withFolders(archive: string, found: Found): Found {
  const complete: Found = new Map(found);
  for (const path of found.keys()) {
    for (let above = dirname(path); above !== '.'; above = dirname(above)) {
      const kind = complete.get(above)?.kind;
      if (kind === undefined) complete.set(above, { kind: 'directory', path: above });
      else if (kind !== 'directory') throw refuse(archive, `${path} below ${above}, which is not a folder`);
    }
  }
  return complete;
}

/** Archives of a release mostly hold one folder `NAME-VERSION`, which is not part of it. */
function withoutTopFolder(found: Found): readonly ReleaseEntry[] {
  const entries = [...found.values()];
  const tops = entries.filter((entry) => !entry.path.includes('/'));
  const [top] = tops;
  if (tops.length !== 1 || top?.kind !== 'directory') return entries;
  return entries
    .filter((entry) => entry !== top)
    .map((entry) => ({ ...entry, path: entry.path.slice(top.path.length + 1) }));
}

/** The entries of a tar archive, which may be compressed with gzip, but for those with a name in `exclude`. */
export function readArchive(archive: string, exclude: ReadonlySet<string>): readonly ReleaseEntry[] {
  const read: { readonly entry: ReadEntry; readonly chunks: Buffer[] }[] = [];
  try {
    list({
      file: archive,
      sync: true,
      strict: true,
      onReadEntry: (entry) => {
        const chunks: Buffer[] = [];
        entry.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
        read.push({ entry, chunks });
      },
    });
  } catch (cause) {
    throw new HostwrightError('E_RESOURCE', 'the archive cannot be read', {
      place: { file: archive },
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a tar archive, optionally compressed with gzip',
      cause,
    });
  }
  const found: Found = new Map();
  for (const { entry, chunks } of read) {
    const path = cleanPath(archive, entry.path);
    if (path !== undefined) found.set(path, readOne(archive, path, entry, Buffer.concat(chunks), found));
  }
  return withoutTopFolder(withFolders(archive, found)).filter(
    (entry) => !entry.path.split('/').some((part) => exclude.has(part)),
  );
}
