import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The machine's own sshd on a loopback port, with keys and a configuration of its own. */
export interface Sshd {
  readonly port: number;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKeys: Readonly<Record<string, string>>;
  readonly folder: string;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Types of host keys, `ed25519` unless said. */
  readonly keys?: readonly string[];
  /** Public keys of those who may log in. */
  readonly authorized?: string;
  /** Further lines of sshd_config. */
  readonly config?: string;
  /** Shell that runs first, in a mount namespace of its own: what it mounts, only this sshd sees. */
  readonly prepare?: string;
}

export function makeKey(file: string, type = 'ed25519', passphrase = ''): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', '', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').trim();
}

export function makeFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'hostwright-sshd-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no free port'));
      });
    });
  });
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const { folder, remove } = makeFolder();
  // Users other than root must be able to read authorized_keys.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const types = options.keys ?? ['ed25519'];
  const hostKeys = Object.fromEntries(
    types.map((type) => [type, makeKey(join(folder, `host_${type}`), type)]),
  );
  const authorized = join(folder, 'authorized_keys');
  writeFileSync(authorized, `${options.authorized ?? ''}\n`);
  const config = join(folder, 'sshd_config');
  writeFileSync(
    config,
    [
      // The first word on something wins.
      options.config ?? '',
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      ...types.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
      'PidFile none',
      `AuthorizedKeysFile ${authorized}`,
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'UsePAM no',
      'PermitRootLogin yes',
      '',
    ].join('\n'),
  );
  mkdirSync('/run/sshd', { recursive: true });
  const run = `${options.prepare ?? ''}\nexec /usr/sbin/sshd -D -e -f ${config}`;
  const server = spawn('unshare', ['-m', 'sh', '-euc', run], { stdio: ['ignore', 'ignore', 'pipe'] });
  const stopped = new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
  });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('Server listening')) resolve();
    });
    server.once('exit', () => reject(new Error(`sshd did not start: ${log}`)));
  });
  return {
    port,
    hostKeys,
    folder,
    async stop() {
      server.kill();
      await stopped;
      remove();
    },
  };
}

/**
 * Users that exist for one sshd alone: copies of the files of /etc, mounted over the real ones in its
 * namespace. Gives the shell for `prepare`.
 */
export function privateUsers(
  folder: string,
  users: readonly { readonly name: string; readonly password: string; readonly sudoers?: string }[],
): string {
  const etc = join(folder, 'etc');
  mkdirSync(join(etc, 'sudoers.d'), { recursive: true });
  for (const name of ['passwd', 'shadow', 'group', 'sudoers']) cpSync(`/etc/${name}`, join(etc, name));
  users.forEach(({ name, password, sudoers }, index) => {
    const id = 59_000 + index;
    const hash = execFileSync('openssl', ['passwd', '-6', password]).toString().trim();
    writeFileSync(join(etc, 'passwd'), `${name}:x:${id}:${id}::/tmp:/bin/bash\n`, { flag: 'a' });
    writeFileSync(join(etc, 'group'), `${name}:x:${id}:\n`, { flag: 'a' });
    writeFileSync(join(etc, 'shadow'), `${name}:${hash}:19000:0:99999:7:::\n`, { flag: 'a' });
    if (sudoers !== undefined)
      writeFileSync(join(etc, 'sudoers.d', name), `${name} ${sudoers}\n`, { mode: 0o440 });
  });
  return ['passwd', 'shadow', 'group', 'sudoers', 'sudoers.d']
    .map((name) => `mount --bind ${join(etc, name)} /etc/${name}`)
    .join('\n');
}
