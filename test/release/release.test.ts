import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { list } from 'tar';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArchive } from '../../src/release/archive.ts';
import { packedRelease, releaseDigest, type ReleaseEntry } from '../../src/release/release.ts';
import { tarball } from '../../src/release/tarball.ts';

const entries: readonly ReleaseEntry[] = [
  { kind: 'directory', path: 'static' },
  { kind: 'directory', path: 'empty' },
  { kind: 'file', path: 'run.sh', content: Buffer.from('#!/bin/sh\n'), executable: true },
  { kind: 'file', path: 'static/ü "quoted" name', content: Buffer.from([0, 255, 10]), executable: false },
  { kind: 'file', path: `static/${'long'.repeat(40)}`, content: Buffer.alloc(1000, 'x'), executable: false },
  { kind: 'link', path: 'start', to: 'run.sh' },
];

describe('releaseDigest', () => {
  it('is the same in whatever order the files were read', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...entries], { minLength: entries.length }), (shuffled) => {
        expect(releaseDigest(shuffled)).toBe(releaseDigest(entries));
      }),
    );
  });

  it.each<readonly [string, ReleaseEntry]>([
    ['content', { kind: 'file', path: 'a', content: Buffer.from('2'), executable: false }],
    ['mode', { kind: 'file', path: 'a', content: Buffer.from('1'), executable: true }],
    ['name', { kind: 'file', path: 'b', content: Buffer.from('1'), executable: false }],
    ['kind', { kind: 'directory', path: 'a' }],
    ['target', { kind: 'link', path: 'a', to: '1' }],
  ])('tells another %s', (_, other) => {
    const one: ReleaseEntry = { kind: 'file', path: 'a', content: Buffer.from('1'), executable: false };
    expect(releaseDigest([other])).not.toBe(releaseDigest([one]));
  });

  it('tells a link that points elsewhere', () => {
    const digests = ['x', 'y'].map((to) => releaseDigest([{ kind: 'link', path: 'a', to }]));
    expect(new Set(digests).size).toBe(2);
  });
});

describe('tarball', () => {
  it('holds what went into it, as an archive that is read says', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hostwright-release-')), 'release.tgz');
    writeFileSync(file, tarball(entries));
    expect(packedRelease(readArchive(file, new Set())).digest).toBe(packedRelease(entries).digest);
    const owners: (number | undefined)[] = [];
    list({ file, sync: true, onReadEntry: (entry) => owners.push(entry.uid, entry.gid) });
    expect(new Set(owners)).toEqual(new Set([0]));
  });
});

describe('packedRelease', () => {
  it('leaves out the record of another host, where its source is a copy of a release', () => {
    const record: ReleaseEntry = {
      kind: 'file',
      path: '.hostwright-release',
      content: Buffer.from('digest x\n'),
      executable: false,
    };
    expect(packedRelease([...entries, record])).toEqual(packedRelease(entries));
    // Deeper it is a file like any other.
    const deeper = { ...record, path: `static/${record.path}` };
    expect(packedRelease([...entries, deeper]).digest).not.toBe(packedRelease(entries).digest);
  });
});
