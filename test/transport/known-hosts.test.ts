import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  fingerprint,
  hashName,
  judgeKey,
  knownKeyTypes,
  parseKnownHosts,
  type KnownName,
  type Verdict,
} from '../../src/transport/known-hosts.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';

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

function judge(text: string, host: KnownName, key: Key = ed25519): Verdict['kind'] {
  return judgeKey(parseKnownHosts(text, 'known_hosts', host.name), host, key.blob).kind;
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
    const entries = parseKnownHosts(text, '/home/ann/.ssh/known_hosts', web1.name);
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
    const verdict = judgeKey(parseKnownHosts(text, 'known_hosts', web1.name), web1, ed25519.blob);
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
    expect(parseKnownHosts(text, 'known_hosts', web1.name)).toEqual([]);
  });

  it('reads only what may be about the host', () => {
    const lines = [
      `web2 ${ed25519.line}`,
      `web12,WEB1 ${ed25519.line}`,
      `[web1]:2222 ${ed25519.line}`,
      `* ${ed25519.line}`,
      `${hashName('web7', Buffer.alloc(20, 7))} ${ed25519.line}`,
    ];
    const entries = parseKnownHosts(lines.join('\n'), 'known_hosts', 'Web1');
    expect(entries.map(({ place }) => place.line)).toEqual([2, 3, 4, 5]);
  });

  it('says which types are known, of plain keys only', () => {
    const text = `web1 ${ecdsa.line}\n[web1]:2222 ${ed25519.line}\n@revoked web1 ${other.line}\nweb2 ${other.line}`;
    const types = knownKeyTypes(parseKnownHosts(text, 'known_hosts', 'web1'), { name: 'web1', port: 2222 });
    expect([...types].toSorted()).toEqual(['ecdsa-sha2-nistp256', 'ssh-ed25519']);
  });

  it('shows fingerprints as ssh-keygen does', () => {
    const shown = execFileSync('ssh-keygen', ['-l', '-f', `${ed25519.file}.pub`]).toString();
    expect(shown).toContain(fingerprint(ed25519.blob));
  });
});
