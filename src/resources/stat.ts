import { sh } from '../transport/shell.ts';
import type { Probe } from './resource.ts';

/** What `find -printf` tells of one path; links are not followed. */
export interface Stat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Four octal digits: `0644`. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** Where a link points, as written; empty otherwise. */
  readonly target: string;
  /** Hex digest of a regular file's content, where asked for. */
  readonly sha256?: string;
}

const kinds: Readonly<Record<string, Stat['kind']>> = { f: 'file', d: 'directory', l: 'link' };

/**
 * One pass of `find` over all paths, which lets `sha256sum` read the regular files among them, as many at a
 * time as fit. Paths come by standard input, so their number has no limit. Only regular files are hashed: a
 * pipe in the place of a file would block for ever.
 */
export function statProbe(paths: readonly string[], options: { readonly hash: boolean }): Probe {
  const stdin = Buffer.from(paths.map((path) => `${path}\0`).join(''));
  const hash = options.hash ? sh`-type f -exec sha256sum -z -- {} +` : sh``;
  const script = sh`find -files0-from - -maxdepth 0 -printf ${String.raw`%y\0%m\0%u\0%g\0%l\0%p\0`} ${hash} 2>/dev/null || :`;
  return { script, stdin };
}

/** The paths that exist. Throws a RangeError on output that is not of `statProbe`. */
export function parseStat(output: Buffer): ReadonlyMap<string, Stat> {
  const fields = output.toString('utf8').split('\0');
  if (fields.pop() !== '') throw new RangeError('the answer of find is cut off');
  const found = new Map<string, Stat>();
  for (let index = 0; index < fields.length;) {
    const field = fields[index] ?? '';
    const digest = /^([0-9a-f]{64}) [ *](.*)$/s.exec(field);
    if (digest !== null) {
      const [, sha256 = '', path = ''] = digest;
      const stat = found.get(path);
      if (stat !== undefined) found.set(path, { ...stat, sha256 });
      index += 1;
      continue;
    }
    const [letter, mode, owner, group, target, path] = fields.slice(index, index + 6);
    if (
      letter === undefined ||
      mode === undefined ||
      owner === undefined ||
      group === undefined ||
      target === undefined ||
      path === undefined
    ) {
      throw new RangeError('the answer of find is cut off');
    }
    found.set(path, { kind: kinds[letter] ?? 'other', mode: mode.padStart(4, '0'), owner, group, target });
    index += 6;
  }
  return found;
}
