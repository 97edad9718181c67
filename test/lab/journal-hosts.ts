import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { createConnect } from '../../src/transport/connect.ts';
import type { Script } from '../../src/transport/shell.ts';
import { makeFolder, makeKey, startSshd, type Sshd } from './sshd.ts';

/** A journald and an sshd of their own on this machine, in one mount namespace: a host, as far as logs go. */
export interface JournalHost {
  readonly name: string;
  readonly port: number;
  /** Variables of the inventory for its connection; another port leads there through a wire. */
  readonly variables: (port?: number) => Readonly<Record<string, string | number>>;
  /** Runs shell there; gives its output. */
  readonly shell: (script: Script) => Promise<string>;
}

export interface JournalHosts {
  readonly folder: string;
  readonly hosts: readonly JournalHost[];
  readonly stop: () => Promise<void>;
}

/** What journald finds instead of what belongs to the machine; the kernel's lines are not of this host. */
function prepare(folder: string): string {
  mkdirSync(join(folder, 'journal'), { recursive: true });
  mkdirSync(join(folder, 'conf'), { recursive: true });
  writeFileSync(join(folder, 'machine-id'), `${randomBytes(16).toString('hex')}\n`);
  writeFileSync(
    join(folder, 'conf/own.conf'),
    '[Journal]\nStorage=persistent\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\nRateLimitIntervalSec=0\n',
  );
  return `mount --bind ${folder}/machine-id /etc/machine-id
mkdir -p /var/log/journal /etc/systemd/journald.conf.d
mount --bind ${folder}/journal /var/log/journal
mount --bind ${folder}/conf /etc/systemd/journald.conf.d
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/systemd/journal /run/log
setpriv --pdeathsig KILL /lib/systemd/systemd-journald 2>/dev/null &
tries=0
until [ -S /run/systemd/journal/socket ]; do tries=$((tries + 1)); [ "$tries" -lt 100 ]; sleep 0.1; done
journalctl --flush 2>/dev/null || :`;
}

export async function journalHosts(names: readonly string[]): Promise<JournalHosts> {
  const { folder, remove } = makeFolder();
  const key = join(folder, 'key');
  const authorized = makeKey(key);
  const connect = createConnect();
  const started: Sshd[] = [];
  const hosts = await Promise.all(
    names.map(async (name): Promise<JournalHost> => {
      const sshd = await startSshd({ authorized, prepare: prepare(join(folder, name)) });
      started.push(sshd);
      const known = join(folder, `${name}.known_hosts`);
      // Without a port: the same key holds behind a wire.
      writeFileSync(known, `${name} ${sshd.hostKeys['ed25519']}\n`);
      const args = `-F none -o UserKnownHostsFile=${known} -o GlobalKnownHostsFile=none -o IdentityAgent=none -o HostKeyAlias=${name}`;
      return {
        name,
        port: sshd.port,
        variables: (port = sshd.port) => ({
          ansible_host: '127.0.0.1',
          ansible_port: port,
          ansible_user: 'root',
          ansible_ssh_private_key_file: key,
          ansible_ssh_common_args: args,
        }),
        async shell(script) {
          const transport = await connect({
            ...{ host: name, address: '127.0.0.1', port: sshd.port, user: 'root' },
            ...{ privateKeyFile: key, become: false, sshArgs: args },
          });
          try {
            const { stdout } = await transport.request({ script });
            return stdout.toString();
          } finally {
            await transport.close();
          }
        },
      };
    }),
  );
  return {
    folder,
    hosts,
    async stop() {
      await Promise.all(started.map(async (sshd) => sshd.stop()));
      remove();
    },
  };
}
