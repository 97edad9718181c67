import { lines, sh } from '../transport/shell.ts';
import { mostEntries, weigh } from './removal.ts';
import type { Probe, State } from './resource.ts';

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
  /** What a folder holds, where asked for: the number of entries up to `mostEntries` + 1, bytes on the disk. */
  readonly holds?: { readonly count: number; readonly bytes: number };
}

const kinds: Readonly<Record<string, Stat['kind']>> = { f: 'file', d: 'directory', l: 'link' };

/**
 * One pass of `find` over all paths, which lets `sha256sum` read the regular files among them, as many at a
 * time as fit. Paths come by standard input, so their number has no limit. Only regular files are hashed: a
 * pipe in the place of a file would block for ever. Folders are weighed where none is to be there.
 */
export function statProbe(
  paths: readonly string[],
  options: { readonly hash: boolean; readonly weigh: boolean },
): Required<Probe> {
  const stdin = Buffer.from(paths.map((path) => `${path}\0`).join(''));
  const hash = options.hash ? sh`-type f -exec sha256sum -z -- {} +` : sh`-false`;
  const folders = options.weigh ? sh`-type d -exec sh -c ${weighAll} sh {} +` : sh`-false`;
  const script = sh`find -files0-from - -maxdepth 0 -printf ${String.raw`%y\0%m\0%u\0%g\0%l\0%p\0`} '(' ${folders} , ${hash} ')' 2>/dev/null || :`;
  return { script, stdin };
}

const weighAll = lines([weigh, sh`for at; do printf 'holds %s %s\0' "$(hw_weigh "$at")" "$at"; done`]).text;

/** Probes one after the other, each with its own standard input; none of one that asks for no path. */
export function inTurn(probes: readonly Required<Probe>[]): Probe {
  const asking = probes.filter(({ stdin }) => stdin.length > 0);
  return {
    script: lines(asking.map(({ script, stdin }) => sh`head -c ${stdin.length} | ${script}`)),
    stdin: Buffer.concat(asking.map(({ stdin }) => stdin)),
  };
}

const units = ['KiB', 'MiB', 'GiB', 'TiB'];

function size(bytes: number): string {
  const power = Math.min(Math.max(Math.floor(Math.log2(bytes) / 10), 1), units.length);
  const amount = bytes / 1024 ** power;
  return `${amount.toFixed(amount < 10 && power > 1 ? 1 : 0)} ${units[power - 1] ?? ''}`;
}

/** What goes with a folder: `{ entries: '12,403 (1.2 GiB)' }`; nothing of one that is empty or was not weighed. */
export function entries({ holds }: Pick<Stat, 'holds'>): State {
  if (holds === undefined || holds.count === 0) return {};
  const isMore = holds.count > mostEntries;
  const count = Math.min(holds.count, mostEntries).toLocaleString('en');
  return { entries: `${isMore ? 'more than ' : ''}${count} (${isMore ? 'over ' : ''}${size(holds.bytes)})` };
}

const weighed = /^holds (\d+) (\d+) (.*)$/s;

/** What `hw_weigh` prints of a folder, behind `holds`, and the path behind that. */
function parseHolds(text: string): (Required<Pick<Stat, 'holds'>> & { readonly path: string }) | undefined {
  const [, count, bytes, path] = weighed.exec(text) ?? [];
  if (path === undefined) return undefined;
  return { path, holds: { count: Number(count), bytes: Number(bytes) } };
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
    const folder = parseHolds(field);
    if (folder !== undefined) {
      const stat = found.get(folder.path);
      if (stat !== undefined) found.set(folder.path, { ...stat, holds: folder.holds });
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
