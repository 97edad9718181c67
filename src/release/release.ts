import { createHash } from 'node:crypto';

/** One entry of a release; paths are relative, with `/`, without `.` and `..`. */
export type ReleaseEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: Uint8Array;
      readonly executable: boolean;
    }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly to: string };

/** Files that the controller has read, and sends. */
export interface PackedRelease {
  readonly kind: 'packed';
  /** Of the folder on the host; made from what is in the release, so that the same files are the same release. */
  readonly name: string;
  /** `releaseDigest` of `entries`. */
  readonly digest: string;
  readonly entries: readonly ReleaseEntry[];
}

/** A commit or tag that the host itself fetches. */
export interface GitRelease {
  readonly kind: 'git';
  readonly name: string;
  readonly url: string;
  /** A full commit id, or a tag. */
  readonly version: string;
  /** The full id of what `version` is in this run. */
  readonly commit: string;
}

/** One that is on the host from before. */
export interface KeptRelease {
  readonly kind: 'kept';
  readonly name: string;
}

export type Release = PackedRelease | GitRelease | KeptRelease;

/** Of a digest, in the name of a folder. */
export const shownDigits = 16;

/** Written into each release on a host, and so never part of one: what was installed, and when. */
export const recordName = '.hostwright-release';

/** The mode that an entry has on a host, in octal: a release is root's, and everybody may read it. */
export function modeOf(entry: ReleaseEntry): number {
  if (entry.kind === 'link') return 0o777;
  return entry.kind === 'directory' || entry.executable ? 0o755 : 0o644;
}

const letters = { file: 'f', directory: 'd', link: 'l' } as const;

function inOrder(records: readonly string[]): Buffer {
  return Buffer.concat(
    records.map((record) => Buffer.from(`${record}\0`)).toSorted((a, b) => Buffer.compare(a, b)),
  );
}

/**
 * One digest over names, contents, modes and owners, in hex: what the shell function `hw_release_digest` gives
 * for the same tree on a host. First all files with their own digests, then all entries; each in the order of
 * their bytes.
 */
export function releaseDigest(entries: readonly ReleaseEntry[]): string {
  const digests = entries.flatMap((entry) =>
    entry.kind === 'file' ? [{ path: entry.path, sha256: sha256(entry.content) }] : [],
  );
  const files = digests
    .map(({ path, sha256 }) => ({ name: Buffer.from(path), line: `${sha256}  ${path}\0` }))
    .toSorted((a, b) => Buffer.compare(a.name, b.name))
    .map(({ line }) => Buffer.from(line));
  const all = inOrder(
    entries.map((entry) => {
      const target = entry.kind === 'link' ? entry.to : '';
      return `${entry.path}|${letters[entry.kind]}|${modeOf(entry).toString(8)}|root:root|${target}`;
    }),
  );
  return sha256(Buffer.concat([...files, all]));
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A source that is a copy of a release has a record, which is that of another host. */
function isRecord({ path }: ReleaseEntry): boolean {
  return path === recordName || path.startsWith(`${recordName}/`);
}

export function packedRelease(all: readonly ReleaseEntry[]): PackedRelease {
  const entries = all.filter((entry) => !isRecord(entry));
  const digest = releaseDigest(entries);
  return { kind: 'packed', name: digest.slice(0, shownDigits), digest, entries };
}
