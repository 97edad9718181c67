import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/secrets/secret.ts';
import { sh } from '../../src/transport/shell.ts';
import { openLocalShell, temporaryFolder, type LocalShell } from './local-shell.ts';

/**
 * A sudo that asks as the real one does with -S: the prompt of -p on standard error, a line of standard
 * input byte by byte. Real ones are asked in test/lab/sudo.test.ts.
 */
async function openWithSudo(body: string, password?: string): Promise<LocalShell & { readonly log: string }> {
  const bin = await temporaryFolder();
  const log = join(bin, 'log');
  writeFileSync(log, '');
  const noise = join(bin, 'noise');
  writeFileSync(noise, 'set -x\n');
  const sudo = `#!/bin/sh
log=${log}
while [ "$1" != -- ]; do
  [ "$1" != -p ] || prompt=$2
  shift
done
shift
ask() { printf %s "$prompt" >&2; IFS= read -r given; printf '%s\\n' "$given" >>"$log"; }
${body}
exec "$@"
`;
  // The user of the login is not root; the loop itself runs with the PATH of the host.
  const id = '#!/bin/sh\necho 1000\n';
  for (const [name, text] of [
    ['sudo', sudo],
    ['id', id],
  ] as const) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  const opened = await openLocalShell(
    { become: true, ...(password !== undefined && { password: new Secret(password) }) },
    // A login that echoes every command that it runs.
    { shell: 'bash', environment: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, BASH_ENV: noise } },
  );
  return { ...opened, log };
}

const right = `ask; [ "$given" = "it's me" ] || { echo 'Sorry, try again.' >&2; ask; }`;

describe('becoming root with sudo', () => {
  it('gives the password when it is asked for', async () => {
    const { shell, log } = await openWithSudo(right, "it's me");
    expect((await shell.request({ script: sh`echo on` })).stdout.toString()).toBe('on\n');
    expect(readFileSync(log, 'utf8')).toBe("it's me\n");
  });

  it('keeps the password to itself when it is not asked for, even if the login echoes commands', async () => {
    const { shell, log, channel } = await openWithSudo(':', 'hunter2');
    const { stdout } = await shell.request({ script: sh`cat; env; ps axww -o args`, stdin: Buffer.alloc(0) });
    expect(stdout.toString()).not.toContain('hunter2');
    expect(readFileSync(log, 'utf8')).toBe('');
    expect(channel.input.writableLength).toBe(0);
  });

  it('fails with E_SUDO at the second question: the password is wrong', async () => {
    await expect(openWithSudo(right, 'not me')).rejects.toMatchObject({
      code: 'E_SUDO',
      message: 'sudo does not accept the password of admin',
    });
  });

  it('fails with E_SUDO at the first question when there is no password', async () => {
    await expect(openWithSudo(right)).rejects.toMatchObject({
      code: 'E_SUDO',
      message: 'sudo asks for the password of admin',
      hint: expect.stringContaining('ansible_become_password'),
    });
  });

  it('says why sudo asks where it passes over rules that others could have written', async () => {
    const asking = `echo 'sudo: /etc/sudoers.d is world writable' >&2; ask`;
    await expect(openWithSudo(asking)).rejects.toMatchObject({
      code: 'E_SUDO',
      message: 'sudo does not accept the owner or the mode of its own files',
      found: 'sudo: /etc/sudoers.d is world writable',
    });
  });

  it.each([
    ['admin is not in the sudoers file.', 'the user may not become root with sudo'],
    ['sudo: sorry, you must have a tty to run sudo', 'sudo requires a terminal'],
    ['sh: 1: exec: sudo: not found', 'sudo is not installed on the host'],
    ['sudo: 1 incorrect password attempt', 'sudo does not accept the password'],
    ['sudo: /etc/sudo.conf is owned by uid 1000', 'sudo does not accept the owner or the mode'],
    ['sudo: something else', 'the shell ended before it was ready'],
  ])('fails with E_SUDO when sudo says: %s', async (words, message) => {
    await expect(openWithSudo(`echo '${words}' >&2; exit 1`, 'x')).rejects.toMatchObject({
      code: 'E_SUDO',
      message: expect.stringContaining(message),
      found: words,
      place: { host: 'web1' },
    });
  });
});
