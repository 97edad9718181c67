import { gzipSync } from 'node:zlib';
import { Header, Pax, type HeaderData } from 'tar';
import { modeOf, type ReleaseEntry } from './release.ts';

const block = 512;
const types = { file: 'File', directory: 'Directory', link: 'SymbolicLink' } as const;

function encode(entry: ReleaseEntry): readonly Uint8Array[] {
  const body = entry.kind === 'file' ? entry.content : new Uint8Array();
  const data: HeaderData = {
    path: entry.kind === 'directory' ? `${entry.path}/` : entry.path,
    type: types[entry.kind],
    mode: modeOf(entry),
    size: body.length,
    uid: 0,
    gid: 0,
    mtime: new Date(0),
    ...(entry.kind === 'link' ? { linkpath: entry.to } : {}),
  };
  const header = new Header(data);
  header.encode();
  // Long names and those beyond ASCII do not fit into the header itself.
  const extended = header.needPax ? [new Pax(data).encode()] : [];
  const padding = new Uint8Array((block - (body.length % block)) % block);
  return [...extended, header.block ?? new Uint8Array(), body, padding];
}

/** A tar archive, compressed with gzip, folders before what is in them. */
export function tarball(entries: readonly ReleaseEntry[]): Buffer {
  const ordered = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return gzipSync(Buffer.concat([...ordered.flatMap(encode), new Uint8Array(2 * block)]));
}
