import { sh, type Script } from '../../transport/shell.ts';
import { unitFolders } from './unit-files.ts';

/** Something below a path. Names are bytes, one a character (latin1): they may be no text. */
export interface Entry {
  readonly path: string;
  readonly kind: string;
  /** In seconds since 1970, when it changed last: no program can set it back. */
  readonly changed: number;
  /** A link or a large file as it is recorded; empty otherwise. */
  readonly text: string;
}

/** A path as people read it. */
export function shownPath(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

/** What is on disk of all that is watched. */
export interface Listing {
  /** What lies at and below a path that was asked for, or one that units are made of. */
  readonly below: (path: string) => readonly Entry[];
  /** By path the lines of sha256sum. */
  readonly digests: ReadonlyMap<string, string>;
}

/**
 * Prints in one line what lies at some paths, and in those that are folders, for `parseListing`; none of a name that
 * has a line break.
 */
export function listAt(paths: readonly string[]): Script {
  if (paths.length === 0) return sh`echo`;
  return sh`find ${paths} -maxdepth 1 ! -path ${'*\n*'} -printf ${String.raw`\0%y\0\0%H\0%p\0`} '(' -type l -printf '%p -> %l' -o -true ')' -printf ${String.raw`\0`} 2>/dev/null || :
echo`;
}

/** The line that `listAt` printed, alone or among others, for `parseListing`. RangeError where it is cut off. */
export function lineIn(output: Buffer): string {
  const lines = output.toString('latin1').split('\n');
  if (lines.length < 2) throw new RangeError('the list of what units are made of is cut off');
  return lines.find((line) => line.startsWith('\0')) ?? '';
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\' };

/** The path in a line of sha256sum, which begins with a backslash where it has escapes; undefined for another line. */
export function digestedPath(line: string): string | undefined {
  if (!/^\\?[0-9a-f]{64} [ *]/.test(line)) return undefined;
  if (!line.startsWith('\\')) return line.slice(66);
  return line.slice(67).replaceAll(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
}

/** The folders of units are listed once for all services. */
function startOf(path: string, root: string): string {
  const within = unitFolders.find((folder) => root === folder && path.startsWith(`${folder}/`));
  if (within === undefined) return root.length > 1 && root.endsWith('/') ? root.slice(0, -1) : root;
  return `${within}/${path.slice(within.length + 1).split('/', 1)[0] ?? ''}`;
}

/** RangeError on output that is not of `listLoaded`. */
export function parseListing(text: string): Listing {
  const below = new Map<string, Entry[]>();
  const digests = new Map<string, string>();
  let at = 0;
  const until = (end: string): string => {
    const to = text.indexOf(end, at);
    if (to < 0) throw new RangeError('the list of what services read is cut off');
    const part = text.slice(at, to);
    at = to + 1;
    return part;
  };
  while (at < text.length) {
    if (text[at] === '\0') {
      at += 1;
      const [kind, changed, root, path] = [until('\0'), until('\0'), until('\0'), until('\0')];
      const entry = { path, kind, changed: Number(changed), text: until('\0') };
      const start = startOf(path, root);
      const entries = below.get(start);
      if (entries === undefined) below.set(start, [entry]);
      else entries.push(entry);
    } else {
      const line = until('\n');
      const path = digestedPath(line);
      if (path === undefined) throw new RangeError(`unexpected digest "${line.slice(0, 80)}"`);
      digests.set(path, `${line}\n`);
    }
  }
  return { below: (path) => below.get(Buffer.from(path).toString('latin1')) ?? [], digests };
}
