import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { readArchive } from './archive.ts';
import { packedRelease, type PackedRelease, type ReleaseEntry } from './release.ts';

function readEntry(folder: string, path: string, exclude: ReadonlySet<string>): readonly ReleaseEntry[] {
  const full = join(folder, path);
  const found = lstatSync(full);
  if (found.isSymbolicLink()) return [{ kind: 'link', path, to: readlinkSync(full) }];
  if (found.isDirectory()) return [{ kind: 'directory', path }, ...readFolder(folder, path, exclude)];
  if (found.isFile()) {
    return [{ kind: 'file', path, content: readFileSync(full), executable: (found.mode & 0o100) !== 0 }];
  }
  throw new HostwrightError('E_RESOURCE', 'a release can contain only files, folders and links', {
    place: { file: full },
    found: 'a socket, a pipe or a device',
    hint: 'remove it, or add it to `exclude`',
  });
}

/** The names in a folder; a host would get others of names that are not UTF-8. */
function namesIn(folder: string): readonly string[] {
  return readdirSync(folder, { encoding: 'buffer' }).map((bytes) => {
    const name = bytes.toString('utf8');
    if (Buffer.from(name).equals(bytes)) return name;
    throw new HostwrightError('E_RESOURCE', 'a release can contain only names in UTF-8', {
      place: { file: folder },
      found: JSON.stringify(name),
      hint: 'rename it, or remove it',
    });
  });
}

function readFolder(folder: string, below: string, exclude: ReadonlySet<string>): readonly ReleaseEntry[] {
  return namesIn(join(folder, below))
    .filter((name) => !exclude.has(name))
    .flatMap((name) => readEntry(folder, below === '' ? name : `${below}/${name}`, exclude));
}

function statSource(source: string): Stats {
  try {
    return statSync(source);
  } catch (cause) {
    throw new HostwrightError('E_RESOURCE', 'the source of a release cannot be read', {
      place: { file: source },
      expected: 'a folder, or a tar archive',
      hint: 'a relative path starts at the folder of site.yml',
      cause,
    });
  }
}

/**
 * Reads a folder or a tar archive (also compressed with gzip) of the controller, whole, into memory. Times,
 * owners and modes beyond "executable" do not count. E_RESOURCE where that is not possible.
 */
export function readRelease(
  source: string,
  { exclude = [] }: { readonly exclude?: readonly string[] } = {},
): PackedRelease {
  const names = new Set(exclude);
  const entries = statSource(source).isDirectory()
    ? readFolder(source, '', names)
    : readArchive(source, names);
  if (!entries.some((entry) => entry.kind === 'file')) {
    throw new HostwrightError('E_RESOURCE', 'the release contains no files', {
      place: { file: source },
      hint: 'check the path and `exclude`',
    });
  }
  return packedRelease(entries);
}
