import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createFileCache, type FileCache } from '../../src/transport/file-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'hostwright-test-'));
const file = join(folder, 'file');
let made: number;
let cache: FileCache<string[]>;

beforeEach(() => {
  rmSync(file, { force: true });
  made = 0;
  cache = createFileCache((content) => {
    made += 1;
    return content.toString().split('\n');
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the cache of files', () => {
  it('reads a file once, and again when it has changed in its place or by a new one', () => {
    writeFileSync(file, 'a');
    expect([cache.read(file), cache.read(file)]).toEqual([['a'], ['a']]);
    expect(made).toBe(1);
    appendFileSync(file, 'b');
    expect(cache.read(file)).toEqual(['ab']);
    writeFileSync(`${file}.new`, 'cd');
    renameSync(`${file}.new`, file);
    expect(cache.read(file)).toEqual(['cd']);
    expect(made).toBe(3);
  });

  it('sees a file that comes and one that goes, and takes a file in the place of a folder for none', () => {
    expect(cache.read(file)).toBeUndefined();
    writeFileSync(file, 'a');
    expect(cache.read(file)).toEqual(['a']);
    expect(cache.read(join(file, 'below'))).toBeUndefined();
    rmSync(file);
    expect(cache.read(file)).toBeUndefined();
  });

  it('throws what the system says of a file that cannot be read', () => {
    expect(() => cache.read(folder)).toThrow(/EISDIR/);
  });

  it('extends what it appends to, without reading it again', () => {
    writeFileSync(file, 'a');
    cache.read(file);
    for (const text of ['é', 'c']) cache.append(file, `\n${text}`, (lines) => lines.push(text));
    expect(cache.read(file)).toEqual(['a', 'é', 'c']);
    expect(readFileSync(file, 'utf8')).toBe('a\né\nc');
    expect(made).toBe(1);
  });

  it('reads again what somebody else has written to, before it appends or meanwhile', () => {
    writeFileSync(file, 'a');
    cache.read(file);
    appendFileSync(file, '\nb');
    cache.append(file, '\nc', (lines) => lines.push('c'));
    expect(cache.read(file)).toEqual(['a', 'b', 'c']);
    cache.append(file, '\nd', (lines) => lines.push('d'));
    appendFileSync(file, '\ne');
    expect(cache.read(file)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('makes a new file for the user alone, and reads it when it is asked for', () => {
    cache.append(file, 'a', () => undefined);
    expect(execFileSync('stat', ['-c', '%a', file]).toString()).toBe('600\n');
    expect(cache.read(file)).toEqual(['a']);
  });

  it('never takes a device for what it gave before', () => {
    expect(cache.read('/dev/null')).toEqual(['']);
    expect(cache.read('/dev/null')).toEqual(['']);
    expect(made).toBe(2);
  });
});
