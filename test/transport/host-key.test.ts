import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { checkHostKey } from '../../src/transport/host-key.ts';
import { createKeyFiles, type KeyFiles } from '../../src/transport/key-files.ts';
import { hashName } from '../../src/transport/known-names.ts';
import { parseSettings, readSettings, type SshConfig } from '../../src/transport/ssh-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'hostwright-test-'));
const file = join(folder, 'known_hosts');
let files: KeyFiles;

beforeEach(() => {
  writeFileSync(file, '');
  files = createKeyFiles();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A public key of a type, as hosts show it. */
function key(type: string, content: string): Buffer {
  return Buffer.concat([type, content].flatMap((text) => [length(text), Buffer.from(text)]));
}

function length(text: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(text.length);
  return bytes;
}

const line = (names: string, blob: Buffer, type = 'ssh-ed25519'): string =>
  `${names} ${type} ${blob.toString('base64')}\n`;

function config(host: string, more = ''): SshConfig {
  const settings = `userknownhostsfile ${file}\nglobalknownhostsfile none\nstricthostkeychecking accept-new\n`;
  return readSettings(parseSettings(`hostname ${host}\n${settings}${more}`), { host, address: host });
}

const one = key('ssh-ed25519', 'one');
const two = key('ssh-ed25519', 'two');
const ecdsa = key('ecdsa-sha2-nistp256', 'ecdsa');

/** More hashed names than whose digests are made for each host. */
const many = Array.from({ length: 300 }, (_, at) => line(hashName(`other${at}`, length(`${at}`)), two)).join(
  '',
);

describe('the keys of many hosts', () => {
  it('are remembered for the hosts that come later in the run, also after another process has written to the file', () => {
    expect(checkHostKey(files, 'web1', config('web1')).refuse(one)).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe(line('web1', one));
    expect(checkHostKey(files, 'web1', config('web1')).refuse(two)).toMatchObject({
      message: 'the key of web1 has changed',
      expected: expect.stringContaining(`${file}:1`),
    });
    appendFileSync(file, line('web2', two));
    expect(checkHostKey(files, 'web2', config('web2')).refuse(one)).toMatchObject({
      expected: expect.stringContaining(`${file}:2`),
    });
    expect(checkHostKey(files, 'web3', config('web3', 'hashknownhosts yes')).refuse(one)).toBeUndefined();
    expect(checkHostKey(files, 'web3', config('web3')).refuse(two)).toMatchObject({
      expected: expect.stringContaining(`${file}:3`),
    });
    writeFileSync(file, line('@revoked *', one));
    expect(checkHostKey(files, 'web1', config('web1')).refuse(one)).toMatchObject({
      message: 'the key of web1 is revoked',
    });
  });

  it('of a hashed name are asked for again by the right type, and never accepted in the place of it', () => {
    const hashed = `${line(hashName('web1', Buffer.alloc(20)), ecdsa, 'ecdsa-sha2-nistp256')}${many}`;
    writeFileSync(file, hashed);
    const check = checkHostKey(files, 'web1', config('web1'));
    expect([...check.types].toSorted()).toEqual(['ecdsa-sha2-nistp256', 'ssh-ed25519']);
    expect(check.askAgain()).toBe(false);
    expect(check.refuse(one)).toMatchObject({ message: 'the key of web1 is unknown' });
    expect(check.askAgain()).toBe(true);
    expect([...check.types]).toEqual(['ecdsa-sha2-nistp256']);
    expect(check.refuse(ecdsa)).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe(hashed);
    // Asked for by its type, the host shows no such key.
    expect(check.refuse(one)).toMatchObject({ message: 'the key of web1 is unknown' });
    expect(check.askAgain()).toBe(false);
  });

  it('of a new host are accepted beside hashed names of others', () => {
    writeFileSync(file, many);
    const check = checkHostKey(files, 'new', config('new'));
    expect(check.refuse(one)).toBeUndefined();
    expect(check.askAgain()).toBe(false);
  });
});
