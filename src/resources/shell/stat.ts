import { lines, sh, type Script } from '../../transport/shell.ts';
import { isId } from '../attribute.ts';
import { mostEntries, weigh } from './weigh.ts';
import type { Section } from '../../transport/sections.ts';
import type { Joint, Probe } from '../resource.ts';
import { Unreadable, type Actual, type State } from '../state.ts';

/** What `find -printf` tells of one path; links are not followed. */
export interface Stat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Four octal digits: `0644`. */
  readonly mode: string;
  /** By name, or by number where it has none. */
  readonly owner: string;
  readonly group: string;
  readonly uid: string;
  readonly gid: string;
  /** Where a link points, as written; empty otherwise. */
  readonly target: string;
  /** Bytes. */
  readonly size: number;
  /** Hex digest of the content of a regular file, where asked for and not larger than what was asked for. */
  readonly sha256?: string;
  /** What a folder holds, where asked for: the number of entries up to `mostEntries` + 1, bytes on the disk. */
  readonly holds?: { readonly count: number; readonly bytes: number };
}

const kinds: Readonly<Record<string, Stat['kind']>> = { f: 'file', d: 'directory', l: 'link' };

/** Seconds for all files: one may grow, or turn into a pipe, after `find` has looked at it. */
const hashTimeout = 120;

/** What to find out about some paths. */
export interface Look {
  readonly paths: readonly string[];
  /**
   * Digests of regular files of so many bytes at most, the size of the largest content that is declared: a larger one
   * differs anyway, and users make them as large as they like. False for none.
   */
  readonly hash: number | false;
  /** How much the folders among them hold, where none is to be there. */
  readonly weigh: boolean;
}

/** A probe that only looks at paths: those of all types of a host go through one pass. */
interface StatProbe<Found extends State> extends Probe<Found> {
  readonly looks: readonly Look[];
}

const weighAll = lines([weigh, sh`for at; do printf 'holds %s %s\0' "$(hw_weigh "$at")" "$at"; done`]).text;

/**
 * One pass of `find` over the paths of standard input, so that their number has no limit. It lets `sha256sum` read the
 * regular files among them, as many at a time as fit: a pipe in the place of a file would block for ever.
 */
function find({ hash, weigh: isWeighed }: Look): Script {
  const files =
    hash === false
      ? sh`-false`
      : sh`-type f -size ${`-${hash + 1}c`} -exec timeout ${hashTimeout} sha256sum -z -- {} +`;
  const folders = isWeighed ? sh`-type d -exec sh -c ${weighAll} sh {} +` : sh`-false`;
  return sh`find -files0-from - -maxdepth 0 -printf '%y\0%m\0%u\0%U\0%g\0%G\0%s\0%l\0%p\0' '(' ${folders} , ${files} ')' 2>/dev/null || :`;
}

/**
 * One pass for the folders that are to be there, and one for all other paths. Contents are read up to the largest size
 * that one asks for, also of a file in the place of a link.
 */
function passes(looks: readonly Look[]): readonly Look[] {
  return [false, true].flatMap((isWeighed) => {
    const some = looks.filter(({ paths, weigh: own }) => own === isWeighed && paths.length > 0);
    if (some.length === 0) return [];
    const sizes = some.flatMap(({ hash }) => (hash === false ? [] : [hash]));
    const paths = [...new Set(some.flatMap((look) => look.paths))];
    return [{ paths, hash: sizes.length === 0 ? false : Math.max(...sizes), weigh: isWeighed }];
  });
}

function sectionOf(looks: readonly Look[]): Required<Section> {
  const all = passes(looks).map((look) => ({
    script: find(look),
    stdin: Buffer.from(look.paths.map((path) => `${path}\0`).join('')),
  }));
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  return {
    script: lines(all.map(({ script, stdin }) => sh`head -c ${stdin.length} | ${script}`)),
    stdin: Buffer.concat(all.map(({ stdin }) => stdin)),
  };
}

/** Each gets all that was found, and takes what it has asked for. */
const joint: Joint<Probe & Pick<StatProbe<State>, 'looks'>> = {
  section: (probes) => sectionOf(probes.flatMap(({ looks }) => looks)),
  answers: (answer, count) => Array.from({ length: count }, () => answer),
};

/**
 * Looks at paths. `states` makes the states of the batch of what was found, by path. It costs a host no process of its
 * own: what a type reads besides goes into `also`.
 */
export function statProbe<Found extends State>(
  look: Look | readonly Look[],
  states: (found: ReadonlyMap<string, Stat>) => readonly Actual<Found>[],
): StatProbe<Found> {
  const looks = [look].flat();
  return { ...sectionOf(looks), parse: (output) => states(parseStat(output)), looks, joint };
}

/** Looks at paths in a section of one's own, to which more can be added; `parseStat` has the answer. */
export function statSection(look: Look): Required<Section> {
  return sectionOf([look]);
}

/** Bytes of the largest of some contents. */
export function largestOf(contents: readonly Uint8Array[]): number {
  return contents.reduce((largest, { length }) => Math.max(largest, length), 0);
}

/** A content as plans show it: its digest, or its size where that says enough. */
export function contentOf({ sha256, size: bytes }: Pick<Stat, 'sha256' | 'size'>): string {
  return sha256 === undefined ? `${bytes} bytes` : `sha256:${sha256.slice(0, 16)}`;
}

/** What users can make as large as they like, sparse files above all, is not read beyond a limit in bytes. */
export function tooLarge(path: string, bytes: string, limit: number): Unreadable {
  return new Unreadable(`${path} is too large: ${bytes} bytes, at most ${limit} are read`);
}

const units = ['KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes for people: `12 KiB`. */
export function sizeText(bytes: number): string {
  const power = Math.min(Math.max(Math.floor(Math.log2(bytes) / 10), 1), units.length);
  const amount = bytes / 1024 ** power;
  return `${amount.toFixed(amount < 10 && power > 1 ? 1 : 0)} ${units[power - 1] ?? ''}`;
}

/** What goes with a folder: `{ entries: '12,403 (1.2 GiB)' }`; nothing of one that is empty or was not weighed. */
export function entries({ holds }: Pick<Stat, 'holds'>): { readonly entries?: string } {
  if (holds === undefined || holds.count === 0) return {};
  const isMore = holds.count > mostEntries;
  const count = Math.min(holds.count, mostEntries).toLocaleString('en');
  return {
    entries: `${isMore ? 'more than ' : ''}${count} (${isMore ? 'over ' : ''}${sizeText(holds.bytes)})`,
  };
}

/** Owner and group in the form in which they are declared: a number is compared with a number. */
export function ownersOf(
  { owner, uid, group, gid }: Stat,
  declared: { readonly owner: string; readonly group: string },
): { readonly owner: string; readonly group: string } {
  return { owner: isId(declared.owner) ? uid : owner, group: isId(declared.group) ? gid : group };
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
    const [letter, mode, owner, uid, group, gid, bytes, target, path] = fields.slice(index, index + 9);
    if (
      letter === undefined ||
      mode === undefined ||
      owner === undefined ||
      uid === undefined ||
      group === undefined ||
      gid === undefined ||
      bytes === undefined ||
      target === undefined ||
      path === undefined
    ) {
      throw new RangeError('the answer of find is cut off');
    }
    const kind = kinds[letter] ?? 'other';
    const size = Number(bytes);
    found.set(path, { kind, mode: mode.padStart(4, '0'), owner, uid, group, gid, size, target });
    index += 9;
  }
  return found;
}
