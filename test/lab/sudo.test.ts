import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/secrets/secret.ts';
import { createConnect } from '../../src/transport/connect.ts';
import { sh } from '../../src/transport/shell.ts';
import type { Target, Transport } from '../../src/transport/transport.ts';
import { makeFolder, makeKey, privateUsers, startSshd, type Sshd } from './sshd.ts';

// The machine's own sshd, sudo and PAM, with users that only this sshd sees.
let sshd: Sshd;
let key: string;
let known: string;

beforeAll(async () => {
  const { folder, remove } = makeFolder();
  key = join(folder, 'key');
  known = join(folder, 'known_hosts');
  const authorized = makeKey(key);
  const prepare = privateUsers(folder, [
    { name: 'hw-free', password: 'unused', sudoers: 'ALL=(ALL) NOPASSWD: ALL' },
    { name: 'hw-asked', password: "it's a long one", sudoers: 'ALL=(ALL) ALL' },
    { name: 'hw-stranger', password: 'stranger' },
    { name: 'hw-tty', password: 'tty', sudoers: 'ALL=(ALL) NOPASSWD: ALL\nDefaults:hw-tty requiretty' },
    { name: 'hw-pty', password: 'pty', sudoers: 'ALL=(ALL) ALL\nDefaults:hw-pty use_pty' },
  ]);
  sshd = await startSshd({
    authorized,
    prepare,
    config: 'UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication yes',
  });
  writeFileSync(known, `[127.0.0.1]:${sshd.port} ${sshd.hostKeys['ed25519']}\n`);
  return async () => {
    await sshd.stop();
    remove();
  };
});

async function open(user: string, becomePassword?: string, change: Partial<Target> = {}): Promise<Transport> {
  const transport = await createConnect()({
    host: 'web1',
    address: '127.0.0.1',
    port: sshd.port,
    user,
    privateKeyFile: key,
    become: true,
    sshArgs: `-F none -o UserKnownHostsFile=${known} -o IdentityAgent=none`,
    ...(becomePassword !== undefined && { becomePassword: new Secret(becomePassword) }),
    ...change,
  });
  onTestFinished(async () => transport.close());
  return transport;
}

const payload = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));

async function expectRoot(transport: Transport): Promise<void> {
  const { stdout } = await transport.request({
    script: sh`id -u; echo "$HOME"; env | grep SUDO; cat`,
    stdin: payload,
  });
  expect(stdout.equals(Buffer.concat([Buffer.from('0\n/root\n'), payload]))).toBe(true);
}

describe('becoming root on a real host', () => {
  it('without a password', async () => expectRoot(await open('hw-free')));

  it('without a password, though one is known', async () => expectRoot(await open('hw-free', 'unused')));

  it('with a password', async () => expectRoot(await open('hw-asked', "it's a long one")));

  it('with a password, where sudo runs everything in a terminal of its own', async () =>
    expectRoot(await open('hw-pty', 'pty')));

  it('is not needed by root', async () => expectRoot(await open('root')));

  it('fails with E_SUDO within seconds when the password is wrong', async () => {
    await expect(open('hw-asked', 'wrong')).rejects.toMatchObject({
      code: 'E_SUDO',
      message: 'sudo does not accept the password of hw-asked',
    });
  });

  it('fails with E_SUDO when there is no password', async () => {
    await expect(open('hw-asked')).rejects.toMatchObject({
      code: 'E_SUDO',
      message: 'sudo asks for the password of hw-asked',
    });
  });

  it('fails with E_SUDO when the user may not', async () => {
    await expect(open('hw-stranger', 'stranger')).rejects.toMatchObject({
      code: 'E_SUDO',
      message: 'the user may not become root with sudo',
    });
  });

  it('fails with E_SUDO when sudo wants a terminal', async () => {
    await expect(open('hw-tty')).rejects.toMatchObject({
      code: 'E_SUDO',
      message: expect.stringContaining('requires a terminal'),
      hint: expect.stringContaining('requiretty'),
    });
  });

  it('fails with E_SUDO when it is not asked for and needed', async () => {
    const transport = await open('hw-free', undefined, { become: false });
    await expect(transport.request({ script: sh`true` })).rejects.toMatchObject({
      code: 'E_SUDO',
      message: 'hw-free is not root',
      hint: expect.stringContaining('ansible_become'),
    });
  });
});

describe('logging in with a password', () => {
  const noKey = { privateKeyFile: '/dev/null' };

  it('works', async () => {
    await expectRoot(await open('hw-free', undefined, { ...noKey, password: new Secret('unused') }));
  });

  it('fails with E_AUTH when it is wrong', async () => {
    await expect(
      open('hw-free', undefined, { ...noKey, password: new Secret('wrong') }),
    ).rejects.toMatchObject({ code: 'E_AUTH', found: expect.stringContaining('refused: password') });
  });
});
