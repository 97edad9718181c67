import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { localEnd } from '../../src/transport/local-end.ts';
import { parseSettings, readSettings, resolveConfig } from '../../src/transport/ssh-config.ts';
import { followed, harmless, refused, unknownOptions } from '../../src/transport/ssh-options.ts';
import { temporaryFolder } from './local-shell.ts';
import { sshPage } from './ssh-page.ts';

const request = { host: 'web1', address: 'web1' };

/** `ssh -F none -G host` of OpenSSH as Debian 12, 13 and testing have it. */
const folder = join(import.meta.dirname, 'ssh-g');
const outputs = await Promise.all(
  (await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
);

function installed(...words: readonly string[]): string {
  return execFileSync('ssh', [...words, '-G', 'host'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

const texts = new Map([...outputs, ['the installed ssh', installed('-F', 'none')]]);

test.each([...texts.keys()])(
  '%s shows no option that nobody has thought about, and is taken as it is',
  (name) => {
    const settings = parseSettings(texts.get(name) ?? '');
    expect(settings.size).toBeGreaterThan(50);
    expect(unknownOptions(settings)).toEqual([]);
    expect(readSettings(settings, request)).toMatchObject({
      authentications: ['publickey', 'password', 'keyboard-interactive'],
      checkHostIp: false,
      requiredRsaSize: 1024,
      revokedHostKeys: [],
    });
  },
);

test("what the distribution sets in /etc/ssh is no hindrance: Debian's SendEnv, HashKnownHosts, GSSAPIAuthentication", () => {
  const settings = parseSettings(installed('-F', '/etc/ssh/ssh_config'));
  expect(unknownOptions(settings)).toEqual([]);
  expect(readSettings(settings, request).hostName).toBe('host');
});

test('each option has one treatment', () => {
  const names = [followed, refused, harmless].flatMap((table) => Object.keys(table));
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
});

test.each(Object.keys(refused))('%s is refused when it is set', (name) => {
  const settings = new Map([[name.toLowerCase(), ['something']]]);
  expect(() => readSettings(settings, request)).toThrow(
    expect.objectContaining({
      code: 'E_CONNECT',
      message: expect.stringContaining(`${name} in the ssh configuration is not supported`),
      found: `${name} something`,
      hint: expect.any(String),
    }),
  );
});

describe('an option of an ssh that is newer than Hostwright', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** The installed ssh, and one option more. */
  async function newerSsh(value: string, byDefault: string): Promise<void> {
    const at = await temporaryFolder();
    await mkdir(at, { recursive: true });
    const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
    await writeFile(
      join(at, 'ssh'),
      `#!/bin/sh\n${real} "$@" && case " $* " in *' -F none '*) echo onlyonsundays ${byDefault};; *) echo onlyonsundays ${value};; esac\n`,
    );
    await chmod(join(at, 'ssh'), 0o755);
    vi.stubEnv('PATH', `${at}:${process.env['PATH'] ?? ''}`);
  }

  it('does no harm at its default', async () => {
    await newerSsh('no', 'no');
    expect(await resolveConfig(request)).toMatchObject({ hostName: 'web1' });
  });

  it('is refused when it is set', async () => {
    await newerSsh('yes', 'no');
    await expect(resolveConfig(request)).rejects.toMatchObject({
      code: 'E_CONNECT',
      found: 'onlyonsundays yes',
    });
  });
});

test('BindInterface is an address of the interface, of the family of the host', () => {
  const on = (hostName: string, lines = '') =>
    localEnd(
      'web1',
      readSettings(parseSettings(`hostname ${hostName}\nbindinterface lo\n${lines}`), request),
    );
  expect(on('web1.example')).toEqual({ family: 4, localAddress: '127.0.0.1' });
  expect(on('127.0.0.1')).toEqual({ family: 4, localAddress: '127.0.0.1' });
  expect(() => localEnd('web1', readSettings(parseSettings('bindinterface nosuch0\n'), request))).toThrow(
    'nosuch0 has no address to connect from',
  );
});

test('ways to log in come in the order of PreferredAuthentications, without those that are off', () => {
  const of = (text: string) => readSettings(parseSettings(text), request).authentications;
  expect(of('preferredauthentications gssapi-with-mic,password,publickey\n')).toEqual([
    'password',
    'publickey',
  ]);
  expect(of('pubkeyauthentication false\nkbdinteractiveauthentication no\n')).toEqual(['password']);
  expect(of('passwordauthentication no\n')).toEqual(['publickey', 'keyboard-interactive']);
  expect(of('preferredauthentications hostbased\n')).toEqual([]);
});

test('docs/ssh.md says it (npm run docs writes it)', async () => {
  await expect(sshPage()).toMatchFileSnapshot('../../docs/ssh.md');
});
