import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { runCommand, tryCommand } from './command.ts';
import type { CommandResult } from './command.ts';
import { hostAddresses, labFolders } from './settings.ts';
import type { LabSettings } from './settings.ts';
import type { LabHost } from './state.ts';

/** The types of host keys that Debian's openssh-server makes. */
export const hostKeyTypes = ['rsa', 'ecdsa', 'ed25519'] as const;

export const hostKeyFile = (folder: string, type: string): string => join(folder, `ssh_host_${type}_key`);

/** The private key that opens every host of the lab. */
export const userKey = (settings: LabSettings): string => join(labFolders(settings).ssh, 'id_ed25519');

export const knownHosts = (settings: LabSettings): string => join(labFolders(settings).ssh, 'known_hosts');

/** Makes a key pair unless it is there. */
export async function ensureKey(file: string, type: string, comment: string): Promise<void> {
  if (existsSync(file) && existsSync(`${file}.pub`)) return;
  await runCommand('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', comment, '-f', `${file}.new`]);
  await rename(`${file}.new.pub`, `${file}.pub`);
  await rename(`${file}.new`, file);
}

export async function ensureUserKey(settings: LabSettings): Promise<void> {
  await mkdir(labFolders(settings).ssh, { recursive: true, mode: 0o700 });
  await ensureKey(userKey(settings), 'ed25519', `hostwright ${settings.name}`);
}

/**
 * Writes the known_hosts of the lab.
 * @param keyFolder where the keys of a host are, by its name
 */
export async function writeKnownHosts(
  settings: LabSettings,
  hosts: readonly LabHost[],
  keyFolder: (host: string) => string,
): Promise<void> {
  const lines = hosts.flatMap((host) => {
    const { address, address6 } = hostAddresses(settings, host.number);
    return hostKeyTypes.map(async (type) => {
      const key = await readFile(`${hostKeyFile(keyFolder(host.name), type)}.pub`, 'utf8');
      return `${[host.name, address, address6].join(',')} ${key.split(' ').slice(0, 2).join(' ')}\n`;
    });
  });
  await writeFile(`${knownHosts(settings)}.new`, (await Promise.all(lines)).join(''));
  await rename(`${knownHosts(settings)}.new`, knownHosts(settings));
}

/** Whether an SSH server greets there: a port that is merely open is not yet a server. */
export async function sshGreets(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22, timeout: 500 });
    const end = (result: boolean) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.once('data', (data) => end(data.toString().startsWith('SSH-2.0-'))());
    socket.once('error', end(false)).once('timeout', end(false)).once('end', end(false));
  });
}

/** Runs a command as admin on a host by the system's ssh, with strict host keys and none of the user's settings. */
export async function sshCommand(
  settings: LabSettings,
  host: LabHost,
  command: string,
  timeout: number,
): Promise<CommandResult> {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ConnectTimeout=5',
    `UserKnownHostsFile=${knownHosts(settings)}`,
    'GlobalKnownHostsFile=/dev/null',
    'IdentitiesOnly=yes',
  ];
  return await tryCommand(
    'ssh',
    [
      '-F',
      'none',
      '-i',
      userKey(settings),
      ...options.flatMap((option) => ['-o', option]),
      `admin@${hostAddresses(settings, host.number).address}`,
      command,
    ],
    { timeout },
  );
}
