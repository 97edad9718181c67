import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Secret } from '../../src/secrets/secret.ts';
import { prepareAuthentication } from '../../src/transport/authentication.ts';
import { createLoginKeys } from '../../src/transport/login-keys.ts';
import { createConnect } from '../../src/transport/connect.ts';
import { sh } from '../../src/transport/shell.ts';
import { parseSettings, readSettings, type SshConfig } from '../../src/transport/ssh-config.ts';
import type { Target } from '../../src/transport/transport.ts';
import { makeFolder, makeKey, startSshd, type Sshd } from './sshd.ts';

const { folder, remove } = makeFolder();
const ed25519 = join(folder, 'ed25519');
const rsa = join(folder, 'rsa');
const authorized = [makeKey(ed25519), makeKey(rsa, 'rsa')].join('\n');

let sshd: Sshd;
let other: Sshd;

beforeAll(async () => {
  sshd = await startSshd({ authorized, keys: ['ed25519', 'rsa'], config: 'PasswordAuthentication yes' });
  other = await startSshd();
  return async () => {
    await sshd.stop();
    await other.stop();
  };
});
afterAll(remove);

interface Case {
  readonly options?: string;
  /** A file; none with `agent`. */
  readonly key?: string;
  readonly agent?: string;
  /** The type of the host's key that is known. */
  readonly known?: string;
  /** All of known_hosts, in the place of that. */
  readonly lines?: readonly string[];
  readonly change?: Partial<Target>;
}

async function whoAmI({ options = '', key = ed25519, known = 'ed25519', ...given }: Case): Promise<string> {
  const { change = {} } = given;
  const lines = given.lines ?? [`[127.0.0.1]:${sshd.port} ${sshd.hostKeys[known]}`];
  const file = join(folder, 'known_hosts');
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  const transport = await createConnect()({
    host: 'web1',
    address: '127.0.0.1',
    port: sshd.port,
    user: 'root',
    ...(given.agent === undefined && { privateKeyFile: key }),
    become: false,
    sshArgs: `-F none ${options} -o UserKnownHostsFile=${file} -o GlobalKnownHostsFile=none -o IdentityFile=none -o IdentityAgent=${given.agent ?? 'none'}`,
    ...change,
  });
  onTestFinished(async () => transport.close());
  const { stdout } = await transport.request({ script: sh`id -un` });
  return stdout.toString().trim();
}

/** An agent that holds one key; gives its socket. */
async function agentWith(key: string): Promise<string> {
  const socket = join(folder, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  onTestFinished(() => {
    agent.kill();
  });
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  await vi.waitFor(() => execFileSync('ssh-add', ['-q', key], { env, stdio: 'ignore' }), 10_000);
  return socket;
}

/** By which hashes the RSA key signs, from the agent and from its file. */
async function signatures(config: SshConfig): Promise<{ agent: readonly string[]; file: readonly string[] }> {
  const made = { agent: [] as string[], file: [] as string[] };
  const data = Buffer.from('data');
  for (const { method } of prepareAuthentication(createLoginKeys(), { config }).attempts) {
    for (const hash of ['sha1', 'sha256'] as const) {
      if (method.type === 'publickey') {
        const key = method.key;
        if (typeof key !== 'object' || !('sign' in key)) throw new Error('no parsed key');
        if (Buffer.isBuffer(key.sign(data, hash))) made.file.push(hash);
      } else if (method.type === 'agent') {
        const agent = method.agent;
        if (typeof agent === 'string') throw new Error('no agent of our own');
        await new Promise<void>((resolve) => {
          agent.sign(readFileSync(`${rsa}.pub`), data, { hash }, (error) => {
            if (!error) made.agent.push(hash);
            resolve();
          });
        });
      }
    }
  }
  return made;
}

describe('RequiredRSASize', () => {
  it('refuses a smaller key of a host', async () => {
    expect(await whoAmI({ known: 'rsa', options: '-o RequiredRSASize=3072' })).toBe('root');
    await expect(whoAmI({ known: 'rsa', options: '-o RequiredRSASize=3073' })).rejects.toMatchObject({
      code: 'E_HOST_KEY',
      found: 'RSA, 3072 bits',
    });
  });

  it('leaves out a smaller key of the user, from a file and from the agent', async () => {
    expect(await whoAmI({ key: rsa, options: '-o RequiredRSASize=3072' })).toBe('root');
    await expect(whoAmI({ key: rsa, options: '-o RequiredRSASize=4096' })).rejects.toMatchObject({
      code: 'E_AUTH',
      found: expect.stringContaining(`key ${rsa} has 3072 bits, fewer than RequiredRSASize 4096`),
    });
    const agent = await agentWith(rsa);
    await expect(whoAmI({ agent, options: '-o RequiredRSASize=4096' })).rejects.toMatchObject({
      code: 'E_AUTH',
      found: expect.stringContaining('a key of the agent has 3072 bits'),
    });
  });
});

describe('PubkeyAcceptedAlgorithms', () => {
  it('leaves out keys of other kinds, from files and from the agent', async () => {
    const options = '-o PubkeyAcceptedAlgorithms=ssh-ed25519';
    expect(await whoAmI({ options })).toBe('root');
    await expect(whoAmI({ key: rsa, options })).rejects.toMatchObject({
      code: 'E_AUTH',
      found: expect.stringContaining(`key ${rsa} is ssh-rsa, which PubkeyAcceptedAlgorithms does not allow`),
    });
    await expect(whoAmI({ agent: await agentWith(rsa), options })).rejects.toMatchObject({
      code: 'E_AUTH',
      found: expect.stringContaining('a key of the agent is ssh-rsa'),
    });
  });

  it('has no key sign with SHA-1, which ssh2 does for hosts that name no algorithms, unless it says so', async () => {
    const identityAgent = await agentWith(rsa);
    const config = readSettings(parseSettings(`identityagent ${identityAgent}\nidentityfile ${rsa}\n`), {
      host: 'web1',
      address: 'web1',
    });
    const policies = [config, { ...config, pubkeyAlgorithms: ['ssh-rsa', 'rsa-sha2-256'] }];
    expect(await Promise.all(policies.map(signatures))).toEqual([
      { agent: ['sha256'], file: ['sha256'] },
      { agent: ['sha1', 'sha256'], file: ['sha1', 'sha256'] },
    ]);
  });
});

it.each([
  'PubkeyAuthentication=no',
  'PreferredAuthentications=password,keyboard-interactive',
  'PreferredAuthentications=gssapi-with-mic',
])('%s offers no key', async (option) => {
  await expect(whoAmI({ options: `-o ${option}` })).rejects.toMatchObject({
    code: 'E_AUTH',
    found: expect.stringMatching(/^no key and no password; the ssh configuration does not allow key /),
  });
});

it('PasswordAuthentication no gives no password to the host', async () => {
  const change = { privateKeyFile: join(folder, 'nothing'), password: new Secret('hunter2') };
  await expect(whoAmI({ change })).rejects.toMatchObject({
    found: expect.stringContaining('refused: password'),
  });
  await expect(
    whoAmI({ change, options: '-o PasswordAuthentication=no -o KbdInteractiveAuthentication=no' }),
  ).rejects.toMatchObject({
    code: 'E_AUTH',
    found: expect.stringMatching(/^no key and no password.*does not allow password/),
  });
});

it('CheckHostIP refuses the key of a name that leads to an address with another key', async () => {
  const byName = `[localhost]:${sshd.port} ${sshd.hostKeys['ed25519']}`;
  const own = `[127.0.0.1]:${sshd.port} ${sshd.hostKeys['ed25519']}`;
  const foreign = `[127.0.0.1]:${sshd.port} ${other.hostKeys['ed25519']}`;
  const open = async (check: string, ...lines: readonly string[]): Promise<string> =>
    whoAmI({
      lines: [byName, ...lines],
      options: `-o AddressFamily=inet -o CheckHostIP=${check}`,
      change: { address: 'localhost' },
    });
  expect(await open('no', foreign)).toBe('root');
  expect(await open('yes', own)).toBe('root');
  expect(await open('yes')).toBe('root');
  await expect(open('yes', foreign)).rejects.toMatchObject({
    code: 'E_HOST_KEY',
    message: `the key of [127.0.0.1]:${sshd.port} has changed`,
  });
});

it('BindInterface connects from an address of the interface, or not at all', async () => {
  expect(await whoAmI({ options: '-o BindInterface=lo' })).toBe('root');
  await expect(whoAmI({ options: '-o BindInterface=nosuch0' })).rejects.toMatchObject({
    code: 'E_CONNECT',
    message: 'nosuch0 has no address to connect from',
  });
});

it('RekeyLimit, which the host decides about, is refused with the way out', async () => {
  await expect(whoAmI({ options: '-o RekeyLimit=1G' })).rejects.toMatchObject({
    code: 'E_CONNECT',
    message: expect.stringContaining('RekeyLimit in the ssh configuration is not supported'),
    hint: expect.stringContaining('RekeyLimit default none'),
  });
});
