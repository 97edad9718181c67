import { execFileSync } from 'node:child_process';
import type * as Crypto from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  judgeKey,
  knownKeyTypes,
  likelyKeyTypes,
  parseKnownHosts,
  type KnownHosts,
  type KnownName,
  type Verdict,
} from '../../src/transport/known-hosts.ts';
import { hashName } from '../../src/transport/known-names.ts';
import { fingerprint } from '../../src/transport/public-key.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';

const digests = vi.hoisted(() => ({ made: 0 }));
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof Crypto>();
  const createHmac: typeof crypto.createHmac = (...words) => {
    digests.made += 1;
    return crypto.createHmac(...words);
  };
  return { ...crypto, createHmac };
});

interface Key {
  readonly line: string;
  readonly blob: Buffer;
  readonly file: string;
}

let folder: string;
let ed25519: Key;
let other: Key;
let ecdsa: Key;

function makeKey(type: string, name: string): Key {
  const file = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', file]);
  const line = readFileSync(`${file}.pub`, 'utf8').trim();
  return { line, blob: Buffer.from(line.split(' ')[1] ?? '', 'base64'), file };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-test-'));
  ed25519 = makeKey('ed25519', 'one');
  other = makeKey('ed25519', 'two');
  ecdsa = makeKey('ecdsa', 'three');
  return () => rmSync(folder, { recursive: true, force: true });
});

function number(index: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(index);
  return bytes;
}

function read(text: string): readonly [KnownHosts] {
  return [parseKnownHosts(text, 'known_hosts')];
}

function judge(text: string, host: KnownName, key: Key = ed25519): Verdict['kind'] {
  return judgeKey(read(text), host, key.blob).kind;
}

const web1: KnownName = { name: 'web1.example.org', port: 22 };

describe('known_hosts', () => {
  it.each([
    ['web1.example.org', 'known'],
    ['10.0.0.1,WEB1.example.org', 'known'],
    ['*.example.org', 'known'],
    ['web?.example.org', 'known'],
    ['*.example.org,!web1.*', 'unknown'],
    ['!web1.example.org', 'unknown'],
    ['web1', 'unknown'],
    ['web1.example.org.evil.net', 'unknown'],
    ['[web1.example.org]:2222', 'unknown'],
  ])('%s makes the host %s', (patterns, verdict) => {
    expect(judge(`${patterns} ${ed25519.line}\n`, web1)).toBe(verdict);
  });

  it('knows a host at another port by [host]:port, or by its key at port 22', () => {
    const host = { name: 'web1', port: 2222 };
    expect(judge(`[web1]:2222 ${ed25519.line}`, host)).toBe('known');
    expect(judge(`[web1]:2223 ${ed25519.line}`, host)).toBe('unknown');
    expect(judge(`web1 ${ed25519.line}`, host)).toBe('known');
    expect(judge(`web1 ${other.line}`, host)).toBe('unknown');
  });

  it('reads names that ssh-keygen has hashed', () => {
    const file = join(folder, 'hashed');
    writeFileSync(file, `web1.example.org ${ed25519.line}\n[10.0.0.1]:2222 ${ecdsa.line}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^\|1\|/);
    expect(text).not.toContain('web1');
    expect(judge(text, web1)).toBe('known');
    expect(judge(text, { name: '10.0.0.1', port: 2222 }, ecdsa)).toBe('known');
    expect(judge(text, { name: '10.0.0.2', port: 2222 }, ecdsa)).toBe('unknown');
  });

  it('hashes names so that ssh-keygen finds them', () => {
    const file = join(folder, 'ours');
    writeFileSync(file, `${hashName('[web1]:2222', Buffer.alloc(20, 7))} ${ed25519.line}\n`);
    expect(execFileSync('ssh-keygen', ['-F', '[web1]:2222', '-f', file]).toString()).toContain('line 1');
  });

  it('tells a changed key from one of a type that is not known', () => {
    const text = `# the first web server\n\nweb1.example.org ${ed25519.line}\n`;
    const entries = [parseKnownHosts(text, '/home/ann/.ssh/known_hosts')];
    expect(judgeKey(entries, web1, other.blob)).toMatchObject({
      kind: 'changed',
      expected: [{ place: { file: '/home/ann/.ssh/known_hosts', line: 3 } }],
    });
    expect(judgeKey(entries, web1, ecdsa.blob)).toMatchObject({
      kind: 'unknown',
      others: [{ type: 'ssh-ed25519' }],
    });
  });

  it('accepts any of several keys of one type', () => {
    expect(judge(`web1.example.org ${other.line}\n*.example.org ${ed25519.line}`, web1)).toBe('known');
  });

  it('refuses a revoked key, wherever else it is listed', () => {
    const known = `web1.example.org ${ed25519.line}`;
    expect(judge(`${known}\n@revoked * ${ed25519.line}`, web1)).toBe('revoked');
    expect(judge(`@revoked * ${ed25519.line}\n${known}`, { ...web1, port: 2222 })).toBe('revoked');
    expect(judge(`${known}\n@revoked * ${other.line}`, web1)).toBe('known');
    expect(judge(`${known}\n@revoked web2 ${ed25519.line}`, web1)).toBe('known');
  });

  it('never takes the key of an authority for the key of a host', () => {
    const text = `@cert-authority *.example.org ${ed25519.line}`;
    const verdict = judgeKey(read(text), web1, ed25519.blob);
    expect(verdict).toMatchObject({ kind: 'unknown', others: [{ marker: 'cert-authority' }] });
  });

  it('skips what ssh skips: keys of SSH 1, types that do not fit their key, unknown marks, half lines', () => {
    const [, base64 = ''] = ed25519.line.split(' ');
    const text = [
      'web1.example.org 2048 35 22017496617994656680820635966392838863613340434802393112245951008866692373218',
      `web1.example.org ssh-rsa ${base64}`,
      `@trusted web1.example.org ${ed25519.line}`,
      'web1.example.org ssh-ed25519',
      'web1.example.org ssh-ed25519 AAAA',
      `#web1.example.org ${ed25519.line}`,
    ].join('\n');
    expect(read(text)[0].entriesOf('web1.example.org')).toEqual([]);
  });

  it('finds the lines of a host by plain names, patterns and hashes, in the order of the file', () => {
    const lines = [
      `web2 ${ed25519.line}`,
      `* ${ed25519.line}`,
      `web12,WEB1 ${ed25519.line}`,
      `[web1]:2222 ${ed25519.line}`,
      `${hashName('web7', Buffer.alloc(20, 7))} ${ed25519.line}`,
      `${hashName('web1', Buffer.alloc(20, 8))} ${ecdsa.line}`,
      `web1,web1 ${other.line}`,
    ];
    const [known] = read(lines.join('\n'));
    const places = (key?: Buffer): readonly unknown[] =>
      known.entriesOf('web1', key).map(({ place }) => place.line);
    expect(places()).toEqual([2, 3, 6, 7]);
    expect(places(ed25519.blob)).toEqual([2, 3, 7]);
    expect(places(ecdsa.blob)).toEqual([2, 3, 6, 7]);
  });

  it('makes one digest for a host among thousands of hashed names', () => {
    const blob = (index: number): Buffer => Buffer.concat([ed25519.blob.subarray(0, -4), number(index)]);
    const text = Array.from({ length: 2000 }, (_, index) => {
      const name = hashName(`web${index}`, Buffer.concat([Buffer.alloc(16), number(index)]));
      return `${name} ssh-ed25519 ${blob(index).toString('base64')}\n`;
    }).join('');
    const known = read(text);
    digests.made = 0;
    for (let index = 0; index < 2000; index += 1) {
      const host = { name: `web${index}` };
      expect([...likelyKeyTypes(known, host)]).toEqual(['ssh-ed25519']);
      expect(judgeKey(known, host, blob(index)).kind).toBe('known');
    }
    expect(digests.made).toBe(2000);
    expect(judgeKey(known, { name: 'web7' }, blob(8)).kind).toBe('changed');
  });

  it('knows a hashed key that is written in another base64', () => {
    const padded = ecdsa.line.replace(/=*$/, '').replaceAll('+', '-').replaceAll('/', '_');
    expect(judge(`${hashName('web1', Buffer.alloc(20))} ${padded}`, { name: 'web1' }, ecdsa)).toBe('known');
  });

  it('says which types are known, of plain keys only', () => {
    const text = `web1 ${ecdsa.line}\n[web1]:2222 ${ed25519.line}\n@revoked web1 ${other.line}\nweb2 ${other.line}`;
    const types = knownKeyTypes(read(text), { name: 'web1', port: 2222 });
    expect([...types].toSorted()).toEqual(['ecdsa-sha2-nistp256', 'ssh-ed25519']);
    expect(likelyKeyTypes(read(text), { name: 'web1', port: 2222 })).toEqual(types);
  });

  it('takes the types of many hashed names for those of a host that is not named in clear', () => {
    const types = (names: number, of: typeof likelyKeyTypes, name: string): readonly string[] => {
      const hashed = Array.from({ length: names }, (_, at) => hashName(`web${at + 1}`, number(at)));
      const lines = hashed.map((patterns) => `${patterns} ${ecdsa.line}\n`);
      return [...of(read(`${lines.join('')}clear ${ed25519.line}\n`), { name })];
    };
    expect(types(256, likelyKeyTypes, 'web1')).toEqual(['ecdsa-sha2-nistp256']);
    expect(types(256, likelyKeyTypes, 'other')).toEqual([]);
    expect(types(257, likelyKeyTypes, 'other')).toEqual(['ecdsa-sha2-nistp256']);
    expect(types(257, likelyKeyTypes, 'clear')).toEqual(['ssh-ed25519']);
    expect(types(257, knownKeyTypes, 'other')).toEqual([]);
  });

  it('takes up lines that are written at the end', () => {
    const [known] = read('');
    expect(known.start).toBe('');
    known.add(`web1 ${ed25519.line}`);
    expect(known.entriesOf('web1').map(({ place }) => place.line)).toEqual([1]);
    const [cut] = read('# no end of line');
    expect(cut.start).toBe('\n');
    cut.add(`web1 ${ed25519.line}`);
    expect(cut.start).toBe('');
    expect(cut.entriesOf('web1').map(({ place }) => place.line)).toEqual([2]);
  });

  it('shows fingerprints as ssh-keygen does', () => {
    const shown = execFileSync('ssh-keygen', ['-l', '-f', `${ed25519.file}.pub`]).toString();
    expect(shown).toContain(fingerprint(ed25519.blob));
  });
});
