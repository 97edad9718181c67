import { createHash } from 'node:crypto';
import type { Section } from '../../transport/sections.ts';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { digestFunction, mostBytes } from '../shell/digest.ts';

/** What a service takes up by a reload, or by a restart. */
export interface Watched {
  readonly unit: string;
  readonly action: 'reload' | 'restart';
  readonly paths: readonly string[];
}

const folder = '/run/hostwright/loaded';

function nameOf({ unit, action }: Watched): string {
  return `${unit}.${action}`;
}

/** What the process has read is now what lies on disk. Needs `digestFunction`. */
export function recordLoaded(watched: readonly Watched[]): Script {
  return lines([
    sh`mkdir -p ${folder}`,
    ...watched.map((one) => sh`hw_digest ${one.paths} >${`${folder}/${nameOf(one)}`}`),
  ]);
}

/**
 * Lists everything below some paths and digests what counts by its content, in two processes for all services. All
 * is read each time: by times and sizes alone, a copy with the times of the original or a change while the clock was
 * wrong would be missed.
 */
const list = sh`find -files0-from - -printf ${String.raw`\0%y\0%C@\0%H\0%p\0`} \
  '(' -type l -printf '%p -> %l' -o -type f -size ${`+${mostBytes}c`} -printf '%p %s %T@' -o -true ')' -printf ${String.raw`\0`} \
  -type f ! -size ${`+${mostBytes}c`} ! -path '*/.hostwright.*' -exec sha256sum -- {} + 2>/dev/null || :`;

/** Bytes of a list that is sent. Of a longer one, with some ten thousand files, the host makes the digests. */
const mostListed = 4 * 1024 * 1024;

const sumFunction = sh`hw_sum() {
  name=$1; shift
  printf 'sum %s %s %s\n' "$(hw_digest "$@")" "$(find "$@" -printf '%C@\n' 2>/dev/null | sort -n | tail -n 1)" "$name"
}`;

/** Lists what lies on disk of what services have read; `printLoaded` prints it, with what was recorded. */
export function listLoaded(watched: readonly Watched[]): Required<Section> {
  const paths = new Set(watched.flatMap((one) => one.paths));
  return {
    script: sh`{ ${list}; } >"$HW/list"`,
    stdin: Buffer.from([...paths].map((path) => `${path}\0`).join('')),
  };
}

/** Prints what `listLoaded` has found and what was recorded of the services, for `parseLoaded`. */
export function printLoaded(watched: readonly Watched[]): Script {
  const records = watched.map((one) => `${folder}/${nameOf(one)}`);
  return lines([
    digestFunction,
    sumFunction,
    sh`for file in ${records}; do
  if [ -f "$file" ]; then set -- "$@" "$file"; fi
  if [ -f "$file" ] && [ ! -s "$file" ]; then echo "$file:"; fi
done
if [ $# -gt 0 ]; then grep -H '' -- "$@"; fi
if [ "$(stat -c %s "$HW/list")" -le ${mostListed} ]; then cat "$HW/list"; exit; fi`,
    ...watched.map((one) => sh`hw_sum ${nameOf(one)} ${one.paths}`),
  ]);
}

/** Something below a path. Names are bytes, one a character (latin1): they may be no text. */
interface Entry {
  readonly path: string;
  readonly isFile: boolean;
  /** In seconds since 1970, when it changed last: no program can set it back. */
  readonly changed: number;
  /** A link or a large file as `hw_digest` has it; empty otherwise. */
  readonly text: string;
}

interface Listing {
  /** By the path that was asked for. */
  readonly below: ReadonlyMap<string, readonly Entry[]>;
  /** By path the lines of sha256sum. */
  readonly digests: ReadonlyMap<string, string>;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\' };

/** The path in a line of sha256sum, which begins with a backslash where it has escapes. */
function digestedPath(line: string): string {
  if (!line.startsWith('\\')) return line.slice(66);
  return line.slice(67).replaceAll(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
}

function parseList(text: string): Listing {
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
      const entry = { path, isFile: kind === 'f', changed: Number(changed), text: until('\0') };
      const entries = below.get(root);
      if (entries === undefined) below.set(root, [entry]);
      else entries.push(entry);
    } else {
      const line = until('\n');
      if (!/^\\?[0-9a-f]{64} [ *]/.test(line))
        throw new RangeError(`unexpected digest "${line.slice(0, 80)}"`);
      digests.set(digestedPath(line), `${line}\n`);
    }
  }
  return { below, digests };
}

/** What is on disk of something that is watched. */
interface Found {
  /** As `hw_digest` makes it. */
  readonly digest: string;
  /** The latest change of anything in it, in seconds since 1970; NaN where there is nothing. */
  readonly changed: number;
}

/** By bytes, as sort(1) does in the locale of the scripts. */
function sorted(texts: readonly string[]): readonly string[] {
  return texts.toSorted((one, other) => (one < other ? -1 : one > other ? 1 : 0));
}

function foundIn({ below, digests }: Listing, { paths }: Watched): Found {
  const entries = paths.flatMap((path) => below.get(Buffer.from(path).toString('latin1')) ?? []);
  const files = sorted(entries.flatMap(({ isFile, path }) => (isFile ? [path] : [])));
  const others = sorted(entries.flatMap(({ text }) => (text === '' ? [] : text.split('\n'))));
  const hash = createHash('sha256');
  for (const path of files) hash.update(digests.get(path) ?? '', 'latin1');
  for (const text of others) hash.update(`${text}\n`, 'latin1');
  const changed = entries.reduce((latest, entry) => Math.max(latest, entry.changed), -Infinity);
  return { digest: hash.digest('hex'), changed };
}

/**
 * Gives whether what a process has read is no longer what lies on disk: by the record of its last (re)load, or, where
 * there is none, by what changed after its start (seconds since 1970, NaN where it does not run). RangeError on output
 * that is not of `printLoaded`.
 */
export function parseLoaded(output: Buffer): (one: Watched, start: number) => boolean {
  const text = output.toString('latin1');
  const to = text.indexOf('\0');
  const head = (to < 0 ? text : text.slice(0, to)).split('\n');
  const list = parseList(to < 0 ? '' : text.slice(to));
  const records = new Map<string, string>();
  const sums = new Map<string, Found>();
  for (const line of head.slice(0, -1)) {
    const [, record, digest] = /^\/run\/hostwright\/loaded\/(.*):([^:]*)$/.exec(line) ?? [];
    const [, sum, changed, name] = /^sum ([0-9a-f]{64}) ([\d.]*) (.*)$/.exec(line) ?? [];
    if (record !== undefined && digest !== undefined) records.set(record, digest);
    else if (sum !== undefined && name !== undefined)
      sums.set(name, { digest: sum, changed: Number(changed) });
    else throw new RangeError(`unexpected record "${line.slice(0, 80)}"`);
  }
  if (head.at(-1) !== '') throw new RangeError('the records of services are cut off');
  return (one, start) => {
    const name = nameOf(one);
    const { digest, changed } = sums.get(name) ?? foundIn(list, one);
    const recorded = records.get(name);
    return recorded === undefined ? changed > start : recorded !== digest;
  };
}
