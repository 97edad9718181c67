import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Secret } from '../../src/secrets/secret.ts';
import { createConnect, type ConnectOptions } from '../../src/transport/connect.ts';
import { sh } from '../../src/transport/shell.ts';
import type { Target, Transport } from '../../src/transport/transport.ts';
import { makeFolder, makeKey, startSshd, type Sshd } from './sshd.ts';
import { openWire, type Wire } from './wire.ts';

const { folder, remove } = makeFolder();
const key = join(folder, 'key');
const locked = join(folder, 'locked');
const stranger = join(folder, 'stranger');
const authorized = [makeKey(key), makeKey(locked, 'ed25519', 'secret')].join('\n');
makeKey(stranger);

let sshd: Sshd;
let jump: Sshd;
let files = 0;

beforeAll(async () => {
  sshd = await startSshd({ authorized, keys: ['ed25519', 'ecdsa'], config: 'RekeyLimit 1M\nMaxAuthTries 3' });
  jump = await startSshd({ authorized });
  return async () => {
    await sshd.stop();
    await jump.stop();
  };
});
afterAll(remove);

function knownHosts(...lines: readonly string[]): string {
  files += 1;
  const file = join(folder, `known_hosts_${files}`);
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}

function entry(server: Sshd, type = 'ed25519'): string {
  return `[127.0.0.1]:${server.port} ${server.hostKeys[type]}`;
}

/** The user's own ssh configuration stays out of it: -F names one. */
function sshArgs(known: string, more = ''): string {
  return `-F none -o UserKnownHostsFile=${known} -o GlobalKnownHostsFile=none -o IdentityAgent=none ${more}`;
}

function targetOf(change: Partial<Target> = {}): Target {
  return {
    host: 'web1',
    address: '127.0.0.1',
    port: sshd.port,
    user: 'root',
    privateKeyFile: key,
    become: false,
    sshArgs: sshArgs(knownHosts(entry(sshd))),
    ...change,
  };
}

async function open(change: Partial<Target> = {}, options: ConnectOptions = {}): Promise<Transport> {
  const transport = await createConnect(options)(targetOf(change));
  onTestFinished(async () => transport.close());
  return transport;
}

async function whoAmI(transport: Transport): Promise<string> {
  const { stdout } = await transport.request({ script: sh`id -un` });
  return stdout.toString();
}

function fingerprintOf(server: Sshd): string {
  const shown = execFileSync('ssh-keygen', ['-lf', join(server.folder, 'host_ed25519.pub')]).toString();
  return shown.split(' ')[1] ?? '';
}

async function wire(port: number): Promise<Wire> {
  const opened = await openWire({ address: '127.0.0.1', port });
  onTestFinished(() => opened.close());
  return opened;
}

describe('logging in', () => {
  it('with a key', async () => {
    expect(await whoAmI(await open())).toBe('root\n');
  });

  it('with an agent, also when it holds many keys', async () => {
    const socket = join(folder, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    onTestFinished(() => {
      agent.kill();
    });
    const add = (file: string): void => {
      const askpass = join(folder, 'askpass');
      writeFileSync(askpass, '#!/bin/sh\necho secret\n', { mode: 0o755 });
      const env = {
        ...process.env,
        SSH_AUTH_SOCK: socket,
        SSH_ASKPASS: askpass,
        SSH_ASKPASS_REQUIRE: 'force',
      };
      execFileSync('ssh-add', ['-q', file], { env, stdio: 'ignore' });
    };
    await vi.waitFor(() => add(stranger), 10_000);
    for (const name of ['more1', 'more2', 'more3', 'more4']) {
      makeKey(join(folder, name));
      add(join(folder, name));
    }
    add(locked);
    const args = `-F none -o UserKnownHostsFile=${knownHosts(entry(sshd))} -o IdentityAgent=${socket}`;
    expect(await whoAmI(await open({ privateKeyFile: locked, sshArgs: args }))).toBe('root\n');
  });

  it('fails with E_AUTH and the way out when the key is encrypted', async () => {
    await expect(open({ privateKeyFile: locked })).rejects.toMatchObject({
      code: 'E_AUTH',
      found: expect.stringContaining(`key ${locked} is encrypted`),
      hint: `give the key to an agent: ssh-add ${locked}`,
    });
  });

  it('fails with E_AUTH and what was tried when the host refuses it', async () => {
    await expect(open({ privateKeyFile: stranger })).rejects.toMatchObject({
      code: 'E_AUTH',
      found: expect.stringContaining(`refused: key ${stranger}`),
      place: { host: 'web1' },
    });
    await expect(open({ user: 'nosuchuser' })).rejects.toMatchObject({ code: 'E_AUTH' });
    await expect(open({ privateKeyFile: join(folder, 'nothing') })).rejects.toMatchObject({
      code: 'E_AUTH',
      found: expect.stringContaining('does not exist'),
    });
  });

  it('never shows a password', async () => {
    const error: unknown = await open({ password: new Secret('hunter2'), privateKeyFile: stranger }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'E_AUTH' });
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
  });
});

describe('the key of a host', () => {
  it.each(['ed25519', 'ecdsa'])('is asked for by the type that is known: %s', async (type) => {
    expect(await whoAmI(await open({ sshArgs: sshArgs(knownHosts(entry(sshd, type))) }))).toBe('root\n');
  });

  it('is found in hashed files, in the second of two, and by its HostKeyAlias', async () => {
    const file = knownHosts(entry(sshd));
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    expect(readFileSync(file, 'utf8')).not.toContain('127.0.0.1');
    await open({ sshArgs: sshArgs(file) });
    await open({ sshArgs: sshArgs(`"${knownHosts()} ${file}"`) });
    const alias = knownHosts(`web1.internal ${sshd.hostKeys['ed25519']}`);
    await open({ sshArgs: sshArgs(alias, '-o HostKeyAlias=web1.internal') });
  });

  it('is asked for again by the type that a hashed name hides, also through a jump host', async () => {
    const others = Array.from({ length: 300 }, (_, at) => `web${at} ${jump.hostKeys['ed25519']}`);
    const hashed = knownHosts(entry(sshd, 'ecdsa'), entry(jump), ...others);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', hashed], { stdio: 'ignore' });
    expect(await whoAmI(await open({ sshArgs: sshArgs(hashed) }))).toBe('root\n');
    const config = join(folder, 'config_hashed');
    const hop = `User root\n  IdentityFile ${key}\n  UserKnownHostsFile ${hashed}\n  IdentityAgent none`;
    writeFileSync(config, `Host outer\n  HostName 127.0.0.1\n  Port ${jump.port}\n  ${hop}\n`);
    const through = `-F ${config} -o UserKnownHostsFile=${hashed} -o ProxyJump=outer`;
    expect(await whoAmI(await open({ sshArgs: through }))).toBe('root\n');
    const accepting = sshArgs(hashed, '-o StrictHostKeyChecking=accept-new');
    const before = readFileSync(hashed, 'utf8');
    expect(await whoAmI(await open({ sshArgs: accepting }))).toBe('root\n');
    expect(readFileSync(hashed, 'utf8')).toBe(before);
  });

  it('is refused when it is unknown, with its fingerprint', async () => {
    await expect(open({ sshArgs: sshArgs(knownHosts()) })).rejects.toMatchObject({
      code: 'E_HOST_KEY',
      message: `the key of [127.0.0.1]:${sshd.port} is unknown`,
      found: `ssh-ed25519 ${fingerprintOf(sshd)}`,
      hint: expect.stringContaining('hostwright host-keys scan --accept'),
    });
  });

  it('is refused when it has changed, with the place of the known one', async () => {
    const file = knownHosts('# web servers', `[127.0.0.1]:${sshd.port} ${jump.hostKeys['ed25519']}`);
    await expect(open({ sshArgs: sshArgs(file) })).rejects.toMatchObject({
      code: 'E_HOST_KEY',
      message: expect.stringContaining('has changed'),
      found: `ssh-ed25519 ${fingerprintOf(sshd)}`,
      expected: `ssh-ed25519 ${fingerprintOf(jump)} (${file}:2)`,
    });
  });

  it('is refused when it is revoked, in known_hosts or in RevokedHostKeys', async () => {
    const revoked = knownHosts(entry(sshd), `@revoked * ${sshd.hostKeys['ed25519']}`);
    await expect(open({ sshArgs: sshArgs(revoked) })).rejects.toMatchObject({
      code: 'E_HOST_KEY',
      found: expect.stringContaining(`${revoked}:2`),
    });
    const list = knownHosts(sshd.hostKeys['ed25519'] ?? '');
    const args = sshArgs(knownHosts(entry(sshd)), `-o RevokedHostKeys=${list}`);
    await expect(open({ sshArgs: args })).rejects.toMatchObject({
      code: 'E_HOST_KEY',
      found: expect.stringContaining(list),
    });
  });

  it('is never accepted in silence with StrictHostKeyChecking=no', async () => {
    const args = sshArgs(knownHosts(), '-o StrictHostKeyChecking=no');
    await expect(open({ sshArgs: args })).rejects.toMatchObject({
      code: 'E_HOST_KEY',
      hint: expect.stringContaining('StrictHostKeyChecking=no is ignored'),
    });
  });

  it('is remembered with StrictHostKeyChecking=accept-new, and a change refused from then on', async () => {
    const file = knownHosts();
    appendFileSync(file, '# no end of line');
    const args = sshArgs(file, '-o StrictHostKeyChecking=accept-new -o HashKnownHosts=yes');
    await open({ sshArgs: args });
    expect(readFileSync(file, 'utf8')).toMatch(/^# no end of line\n\|1\|\S+ ssh-ed25519 \S+\n$/);
    await open({ sshArgs: sshArgs(file) });
    const changed = knownHosts(`[127.0.0.1]:${sshd.port} ${jump.hostKeys['ed25519']}`);
    const again = sshArgs(changed, '-o StrictHostKeyChecking=accept-new');
    await expect(open({ sshArgs: again })).rejects.toMatchObject({ code: 'E_HOST_KEY' });
  });
});

describe('a connection', () => {
  it('carries megabytes both ways across many exchanges of keys', async () => {
    const transport = await open();
    const payload = Buffer.alloc(20_000_000, 'hostwright\0');
    const { stdout } = await transport.request({ script: sh`cat`, stdin: payload });
    expect(stdout.equals(payload)).toBe(true);
    expect(transport.roundTrips).toBe(1);
  });

  it('leads through jump hosts, each with its own key', async () => {
    const file = knownHosts(entry(sshd), entry(jump));
    const config = join(folder, 'config');
    const hop = `User root\n  IdentityFile ${key}\n  UserKnownHostsFile ${file}\n  IdentityAgent none`;
    const middle = await startSshd({ authorized });
    onTestFinished(async () => middle.stop());
    appendFileSync(file, `${entry(middle)}\n`);
    writeFileSync(
      config,
      [
        `Host outer\n  HostName 127.0.0.1\n  Port ${jump.port}\n  ${hop}`,
        `Host inner\n  HostName 127.0.0.1\n  Port ${middle.port}\n  ProxyJump outer\n  ${hop}`,
        '',
      ].join('\n'),
    );
    const args = `-F ${config} -o UserKnownHostsFile=${file} -o ProxyJump=inner`;
    const { stdout } = await (
      await open({ sshArgs: args })
    ).request({ script: sh`cat`, stdin: Buffer.alloc(3e6) });
    expect(stdout.length).toBe(3e6);

    writeFileSync(file, `${entry(sshd)}\n${entry(middle)}\n`);
    await expect(open({ sshArgs: args })).rejects.toMatchObject({
      code: 'E_HOST_KEY',
      message: `the key of [127.0.0.1]:${jump.port} is unknown`,
      place: { host: 'web1 (jump host 127.0.0.1)' },
    });

    appendFileSync(file, `${entry(jump)}\n`);
    await expect(open({ sshArgs: args, port: 1 })).rejects.toMatchObject({
      code: 'E_CONNECT',
      message: 'the jump host 127.0.0.1 cannot reach 127.0.0.1 port 1',
    });
  });

  it.each([
    ['connection refused', { port: 1 }, /connection refused/],
    ['the name is wrong', { address: 'web1.invalid' }, /name does not resolve/],
    ['ssh finds its configuration wrong', { sshArgs: '-o Nonsense=1' }, /configuration/],
    ['ProxyCommand is asked for', { sshArgs: '-F none -o ProxyCommand=nc' }, /ProxyCommand/],
    ['no algorithm is left', { sshArgs: '-F none -o Ciphers=aes128-cbc' }, /Ciphers/],
  ])('fails with E_CONNECT when %s', async (_, change, message) => {
    await expect(open(change)).rejects.toMatchObject({
      code: 'E_CONNECT',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  it('fails with E_CONNECT when a server never says a word', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      server.close();
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(open({ port }, { connectTimeout: 300 })).rejects.toMatchObject({
      code: 'E_CONNECT',
      message: expect.stringContaining('within 0.3 s'),
    });
  });

  it('that breaks fails the request in flight, and those after it', async () => {
    const line = await wire(sshd.port);
    const known = sshArgs(knownHosts(`127.0.0.1 ${sshd.hostKeys['ed25519']}`));
    const transport = await open({ port: line.port, sshArgs: known });
    const request = transport.request({ script: sh`sleep 600`, timeout: 20_000 });
    line.cut();
    await expect(request).rejects.toMatchObject({ code: 'E_CONNECT' });
    await expect(transport.request({ script: sh`true` })).rejects.toMatchObject({ code: 'E_CONNECT' });
  });

  it('that is half open is found out by its silence', async () => {
    const line = await wire(sshd.port);
    const known = knownHosts(`127.0.0.1 ${sshd.hostKeys['ed25519']}`);
    const transport = await open({
      port: line.port,
      sshArgs: sshArgs(known, '-o ServerAliveInterval=1 -o ServerAliveCountMax=2'),
    });
    // Kept alive by answers to keepalives while a script is silent for longer than that.
    expect((await transport.request({ script: sh`sleep 4` })).code).toBe(0);
    line.freeze();
    await expect(transport.request({ script: sh`true`, timeout: 60_000 })).rejects.toMatchObject({
      code: 'E_CONNECT',
      found: expect.stringContaining('no data from the host for 2 s'),
    });
  });

  it('leaves nothing on the host when it is closed', async () => {
    const before = readdirSync('/run').includes('hostwright') ? readdirSync('/run/hostwright') : [];
    const transport = await createConnect()(targetOf());
    await transport.request({ script: sh`true` });
    await transport.close();
    const after = readdirSync('/run/hostwright').filter((name) => name !== 'lock' && !before.includes(name));
    expect(after).toEqual([]);
  });

  it('is one of many at once', async () => {
    const connect = createConnect();
    const warnings: string[] = [];
    const listen = (warning: Error): void => {
      warnings.push(warning.message);
    };
    process.on('warning', listen);
    onTestFinished(() => {
      process.off('warning', listen);
    });
    const known = sshArgs(knownHosts(entry(sshd)));
    const transports: Transport[] = [];
    // No more at once than sshd lets in before they have logged in (MaxStartups).
    for (let round = 0; round < 4; round += 1) {
      transports.push(
        ...(await Promise.all(
          Array.from({ length: 8 }, async (_, index) =>
            connect(targetOf({ host: `web${round}-${index}`, sshArgs: known })),
          ),
        )),
      );
    }
    const users = await Promise.all(transports.map(whoAmI));
    expect(new Set(users)).toEqual(new Set(['root\n']));
    await Promise.all(transports.map(async (transport) => transport.close()));
    expect(warnings).toEqual([]);
  });
});
