import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create, Header } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRelease } from '../../src/release/read.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-read-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(path: string, content: string): string {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

function paths(source: string, exclude?: readonly string[]): readonly string[] {
  const release = readRelease(source, exclude === undefined ? {} : { exclude });
  return release.entries.map((entry) => `${entry.kind} ${entry.path}`).toSorted();
}

/** An archive as nobody's tar makes it. */
function archive(...headers: readonly ConstructorParameters<typeof Header>[0][]): string {
  const blocks = headers.map((data) => {
    const header = new Header(data);
    header.encode();
    return header.block ?? Buffer.alloc(0);
  });
  const file = join(folder, 'made.tar');
  writeFileSync(file, Buffer.concat([...blocks, Buffer.alloc(1024)]));
  return file;
}

function packed(options: { readonly gzip?: boolean }, ...names: readonly string[]): string {
  const file = join(folder, '..', `${folder.split('/').at(-1) ?? ''}.tar`);
  create({ file, sync: true, cwd: folder, ...options }, [...names]);
  return file;
}

describe('a folder', () => {
  it('is read with its folders and links, without what is excluded at any depth', () => {
    write('app/main.py', 'x');
    write('app/.git/config', 'x');
    write('app/lib/__pycache__/a.pyc', 'x');
    symlinkSync('main.py', join(folder, 'app/start'));
    expect(paths(join(folder, 'app'), ['.git', '__pycache__'])).toEqual([
      'directory lib',
      'file main.py',
      'link start',
    ]);
  });

  it('is the same release whatever its times and the umask of who wrote it', () => {
    const file = write('app/main.py', 'x');
    const before = readRelease(join(folder, 'app'));
    utimesSync(file, 1, 1);
    chmodSync(file, 0o600);
    expect(readRelease(join(folder, 'app')).name).toBe(before.name);
    chmodSync(file, 0o700);
    expect(readRelease(join(folder, 'app')).name).not.toBe(before.name);
  });

  it.each(['nowhere', 'empty'])('that is %s is an error that names it', (name) => {
    mkdirSync(join(folder, 'empty'));
    const source = join(folder, name);
    expect(() => readRelease(source)).toThrow(
      expect.objectContaining({ code: 'E_RESOURCE', place: { file: source } }),
    );
  });
});

describe('names that are not UTF-8', () => {
  it('are refused: a host would get others', () => {
    write('app/main.py', 'x');
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'app/caf')), Buffer.from([0xe9])]), 'x');
    const refused = (source: string): void => {
      expect(() => readRelease(source)).toThrow(expect.objectContaining({ code: 'E_RESOURCE' }));
    };
    refused(join(folder, 'app'));
    const file = join(folder, 'latin1.tar');
    execFileSync('tar', ['-cf', file, '-C', folder, 'app']);
    refused(file);
  });
});

describe('an archive', () => {
  it.each([false, true])(
    'is the release that its folder is (gzip: %s), without the one folder at its top',
    (gzip) => {
      write('app-1.0/main.py', 'x');
      write('app-1.0/lib/a.py', 'y');
      linkSync(join(folder, 'app-1.0/main.py'), join(folder, 'app-1.0/same.py'));
      const file = packed({ gzip }, 'app-1.0');
      expect(readRelease(file).digest).toBe(readRelease(join(folder, 'app-1.0')).digest);
      rmSync(file);
    },
  );

  it('makes the folders that it leaves out', () => {
    expect(
      paths(archive({ path: 'a/b/main', type: 'File', size: 0 }, { path: 'x', type: 'File', size: 0 })),
    ).toEqual(['directory a', 'directory a/b', 'file a/b/main', 'file x']);
  });

  it.each([
    ['a path that leads out', [{ path: 'a/../../etc/passwd', type: 'File', size: 0 }]],
    ['an absolute path', [{ path: '/etc/passwd', type: 'File', size: 0 }]],
    [
      'a file below a link',
      [
        { path: 'a', type: 'SymbolicLink', linkpath: '/etc' },
        { path: 'a/passwd', type: 'File', size: 0 },
      ],
    ],
    ['a device', [{ path: 'null', type: 'CharacterDevice' }]],
    ['a hard link to nothing', [{ path: 'a', type: 'Link', linkpath: 'b' }]],
  ] as const)('with %s is refused', (_, headers) => {
    expect(() => readRelease(archive(...headers))).toThrow(
      expect.objectContaining({ code: 'E_RESOURCE', message: 'the archive is not a release' }),
    );
  });

  it('that is none is an error', () => {
    expect(() => readRelease(write('notes.txt', 'no archive at all\n'.repeat(100)))).toThrow(
      expect.objectContaining({ code: 'E_RESOURCE', message: 'the archive cannot be read' }),
    );
  });
});
