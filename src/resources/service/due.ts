import { createHash } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { digestedPath, parseListing, type Entry, type Listing } from './listing.ts';
import { isCounted, isFollowed, nameOf, pathsOf, type Watched } from './loaded.ts';

/** When a process has read its files, in seconds since 1970, and what systemd says of that; NaN where it does not run. */
export interface Reading {
  readonly since: number;
  readonly process: Readonly<Record<string, string>>;
}

/** What is no longer as the process has read it. */
export interface Stale {
  readonly isStale: boolean;
  /** What differs, as far as that is known: `added`, `removed`, `changed` by path. */
  readonly changed: ReadonlyMap<string, string>;
  /** The paths of all that the process has read; undefined where nothing says so. */
  readonly read?: readonly string[];
}

/** What was recorded after the last (re)load of a project's own. */
interface Loading {
  readonly process: ReadonlyMap<string, string>;
  readonly digest: string;
  /** What counted, a line each; none of a long list. */
  readonly lines: readonly string[];
}

/** What is on disk of something that is watched. */
interface Found {
  readonly digest: string;
  readonly lines: readonly string[];
  readonly entries: readonly Entry[];
  /** The latest change of anything in it, in seconds since 1970; -Infinity where there is nothing. */
  readonly changed: number;
}

/** By bytes, as sort(1) does in the locale of the scripts. */
function sorted(texts: readonly string[]): readonly string[] {
  return texts.toSorted((one, other) => (one < other ? -1 : one > other ? 1 : 0));
}

function digestOf(lines: readonly string[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`, 'latin1');
  return hash.digest('hex');
}

/** The entries that count. What a link leads to counts where it is followed. */
function entriesOf({ below }: Listing, one: Watched): readonly Entry[] {
  return pathsOf(one).flatMap((path) => {
    const isLink = below(path)[0]?.kind === 'l';
    const all = isLink && !isFollowed(path, one.paths) ? below(path).slice(0, 1) : below(path);
    return all.filter((entry) => entry.kind === 'd' || isCounted(entry.path, one.whole));
  });
}

/** What there will be once some files are removed. */
function without(entries: readonly Entry[], removed: readonly string[]): readonly Entry[] {
  if (removed.length === 0) return entries;
  const gone = new Set([...removed, ...removed.map((path) => dirname(path))]);
  return entries.filter(({ path }) => !gone.has(path));
}

function foundIn(listing: Listing, one: Watched, removed: readonly string[]): Found {
  const entries = without(entriesOf(listing, one), removed);
  const files = entries.flatMap(({ path }) => (listing.digests.has(path) ? [path] : []));
  const others = entries.flatMap(({ text }) => (text === '' ? [] : text.split('\n')));
  const lines = [
    ...sorted(files).map((path) => (listing.digests.get(path) ?? '').slice(0, -1)),
    ...sorted(others),
  ];
  const changed = entries.reduce((latest, entry) => Math.max(latest, entry.changed), -Infinity);
  return { digest: digestOf(lines), lines, entries, changed };
}

/** The path that a recorded line is about. */
function subject(line: string): string {
  return digestedPath(line) ?? line.split(' -> ', 1)[0] ?? line;
}

function byPath(lines: readonly string[]): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const line of lines) all.set(subject(line), `${all.get(subject(line)) ?? ''}${line}\n`);
  return all;
}

function difference(before: readonly string[], now: readonly string[]): ReadonlyMap<string, string> {
  const [old, present] = [byPath(before), byPath(now)];
  const removed = [...old.keys()].filter((path) => !present.has(path));
  const others = [...present].flatMap(([path, lines]): [string, string][] => {
    const was = old.get(path);
    return was === lines ? [] : [[path, was === undefined ? 'added' : 'changed']];
  });
  return new Map([...others, ...removed.map((path): [string, string] => [path, 'removed'])]);
}

/** Of what changed since then; where only a folder did, something in it is gone. */
function changedSince(entries: readonly Entry[], since: number): ReadonlyMap<string, string> {
  const late = entries.filter(({ changed }) => changed > since);
  const files = late.filter(({ kind }) => kind !== 'd');
  return new Map(
    (files.length > 0 ? files : late).map(({ path, kind }) => [
      path,
      kind === 'd' ? 'has lost something' : 'changed',
    ]),
  );
}

/** The part of the output before the list, by the name of what it is about. */
function parseRecords(head: string): readonly [ReadonlyMap<string, Loading>, ReadonlyMap<string, Found>] {
  const records = new Map<string, Loading>();
  const sums = new Map<string, Found>();
  const lines = head.split('\n');
  if (lines.pop() !== '') throw new RangeError('the records of services are cut off');
  for (let at = 0; at < lines.length; at += 1) {
    const [, sum, changed, whose] = /^sum ([0-9a-f]{64}) ([\d.]*) (.*)$/.exec(lines[at] ?? '') ?? [];
    const [, name] = /^loaded (.*)$/.exec(lines[at] ?? '') ?? [];
    if (sum !== undefined && whose !== undefined) {
      sums.set(whose, { digest: sum, lines: [], entries: [], changed: Number(changed) });
      continue;
    }
    // Records of an earlier version, or one that a full disk has cut off, say nothing.
    if (name === undefined) continue;
    const to = lines.findIndex((line, index) => index > at && (line === 'end' || line.startsWith('loaded ')));
    if (lines[to] !== 'end') continue;
    const own = lines.slice(at + 1, to);
    const first = own.findIndex((line) => line.startsWith('digest '));
    const process = new Map(
      own.slice(0, first).map((line): [string, string] => {
        const [key = '', value = ''] = line.split(/=(.*)/s);
        return [key, value];
      }),
    );
    records.set(name, { process, digest: (own[first] ?? '').slice(7), lines: own.slice(first + 1) });
    at = to;
  }
  return [records, sums];
}

/** A restart is a new invocation; a reload changes the state of the unit on its way. */
function isAbout({ process }: Loading, action: Watched['action'], now: Reading['process']): boolean {
  const keys = action === 'restart' ? ['InvocationID'] : ['InvocationID', 'StateChangeTimestampMonotonic'];
  return keys.every((key) => process.get(key) !== undefined && process.get(key) === now[key]);
}

/** What services have read, and what is there now. */
export interface Loaded {
  /**
   * What is no longer as a process has read it, once `removed` is gone. A record of its last (re)load decides, if it
   * is about the process that runs and nobody has reloaded that since; otherwise what changed after it has read its
   * files.
   */
  readonly staleOf: (one: Watched, reading: Reading, removed?: readonly string[]) => Stale;
  /** What lies at and below a path that is watched. */
  readonly below: Listing['below'];
}

/** RangeError on output that is not of `printLoaded`. */
export function parseLoaded(output: Buffer): Loaded {
  const text = output.toString('latin1');
  const to = text.indexOf('\0');
  const listing = parseListing(to < 0 ? '' : text.slice(to));
  const head = to < 0 ? text : text.slice(0, to);
  if (!/^(loaded |sum |[0-9a-f]{64}\n|$)/.test(head)) {
    throw new RangeError(`unexpected record "${head.slice(0, 80)}"`);
  }
  const [records, sums] = parseRecords(head);
  const staleOf: Loaded['staleOf'] = (one, { since, process }, removed = []) => {
    const found = sums.get(nameOf(one)) ?? foundIn(listing, one, removed);
    const record = records.get(nameOf(one));
    if (record === undefined || !isAbout(record, one.action, process)) {
      const taken = entriesOf(listing, one).filter(
        ({ path, changed }) => removed.includes(path) && changed <= since,
      );
      const changed = new Map([
        ...taken.map(({ path }): [string, string] => [path, 'is in effect']),
        ...changedSince(found.entries, since),
      ]);
      return { isStale: found.changed > since || taken.length > 0, changed };
    }
    const isStale = record.digest !== found.digest;
    const isListed = record.lines.length > 0 || found.lines.length === 0;
    return {
      isStale,
      changed: isStale && isListed ? difference(record.lines, found.lines) : new Map<string, string>(),
      ...(isListed ? { read: [...byPath(record.lines).keys()] } : {}),
    };
  };
  return { staleOf, below: listing.below };
}
