import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import mysql from '../../roles/mysql/role.ts';
import type { Declared } from '../../src/index.ts';
import { hosts, ofType, resourcesOf } from '../../src/testing/index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-writer-'));
  mkdirSync(join(folder, 'bin'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Seconds. */
const maxLag = 2;

/** The program as the role writes it, with its folder elsewhere. */
function program(flavor: 'mysql' | 'mariadb'): string {
  const proxies: readonly Declared[] = hosts.map((host) => ({
    ...{ kind: 'database_proxy', writer: 3307, reader: 3308, group: 'app' },
    ...{ host, role: 'database_proxy' },
  }));
  const passwords = {
    mysql_replication_password: 'Repl1',
    mysql_seed_password: 'Seed1',
    mysql_observer_password: 'Obs1',
  };
  const resources = resourcesOf(mysql, {
    host: 'web2',
    declared: proxies,
    variables: { ...passwords, mysql_flavor: flavor, mysql_replica_max_lag: maxLag },
  });
  const file = ofType(resources, 'file').find(
    (one) => 'path' in one && String(one.path).endsWith('/mysql-writer'),
  );
  if (file === undefined || !('content' in file)) throw new Error('there is no program');
  return String(file.content).replaceAll('/run/mysql-writer', folder);
}

/**
 * Until the program notes of a server whose client answers each query like this: for writers, for readers. The
 * primary is heard so many times, which is what NUMBER in the answer says.
 */
async function notes(
  flavor: 'mysql' | 'mariadb',
  answer: string,
  expected: readonly string[],
  heard = Infinity,
): Promise<void> {
  // The last line of all that is asked at a time.
  const last = flavor === 'mysql' ? '*workers' : '*AS?end';
  const count = Number.isFinite(heard) ? `[ $n -ge ${heard} ] || n=$((n + 1))` : 'n=$((n + 1))';
  const client = `#!/bin/sh\nn=0\nwhile read -r line; do case $line in ${last}\\;*) ${count}; sed s/NUMBER/$n/ ${folder}/answer ;; esac; done\n`;
  // A program that is being ended still is one that cannot be written to.
  const before = ['state', 'clock', 'program', `bin/${flavor}`, 'bin/systemd-socket-activate'];
  for (const left of before) rmSync(join(folder, left), { force: true });
  writeFileSync(join(folder, 'answer'), answer);
  writeFileSync(join(folder, 'bin', flavor), client, { mode: 0o755 });
  writeFileSync(join(folder, 'bin/systemd-socket-activate'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
  writeFileSync(join(folder, 'program'), program(flavor), { mode: 0o755 });
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
  const child = spawn(join(folder, 'program'), [], { env, stdio: 'ignore', detached: true });
  const ended = once(child, 'exit');
  try {
    const read = (): string => {
      try {
        return readFileSync(join(folder, 'state'), 'utf8');
      } catch {
        return '';
      }
    };
    // It is written several times a second, and empty for a moment each time.
    await expect
      .poll(() => read().trim().split('\t').slice(1), { timeout: 20_000, interval: 20 })
      .toEqual(expected);
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
}

const names = 'writer\treplica\n';
const end = 'end\nend\n';
const status = (receives: string, applies: string, behind: string): string =>
  `*************************** 1. row ***************************
             Connection_name: 
             Master_Log_File: binlog.000002
         Read_Master_Log_Pos: 157
            Slave_IO_Running: ${receives}
           Slave_SQL_Running: ${applies}
       Seconds_Behind_Master: ${behind}
   Slave_received_heartbeats: NUMBER
*************************** 2. row ***************************
             Connection_name: other
            Slave_IO_Running: No
`;
const readOnly = `${names}it is read-only\tfollows\n`;

describe('what a server may be used for', () => {
  test('is what MySQL says in two columns', async () => {
    await notes('mysql', `${names}yes\tit takes writes\n`, ['yes', 'it takes writes']);
    await notes('mysql', `${names}it is read-only\tyes\n`, ['it is read-only', 'yes']);
  });

  test('is nothing while its client says an error', async () => {
    const error = 'ERROR 3032 (HY000): The server is currently in offline mode';
    await notes('mysql', `${error}\n`, [error, error]);
    await notes('mariadb', `${error}\n`, [error, error]);
  });

  test.each([
    ['yes', status('Yes', 'Yes', '0')],
    ['yes', status('Yes', 'Yes', '2')],
    ['it is 3 s behind', status('Yes', 'Yes', '3')],
    ['its replication is stopped', status('Connecting', 'Yes', 'NULL')],
    ['its replication is stopped', status('Yes', 'No', 'NULL')],
    ['it follows no server', ''],
  ])('is for a replica of MariaDB: %s', async (said, shown) => {
    await notes('mariadb', `${readOnly}${shown}${end}`, ['it is read-only', said]);
  });

  test('is nothing for a replica of MariaDB whose primary is silent, however little it has to apply', async () => {
    const current = `${readOnly}${status('Yes', 'Yes', '0')}${end}`;
    await notes('mariadb', current, ['it is read-only', 'it has heard nothing of its primary yet'], 1);
    const silent = `it has heard nothing of its primary for ${maxLag + 1} s`;
    await notes('mariadb', current, ['it is read-only', silent], 2);
  });

  test('is for a member of Galera what the cluster says', async () => {
    await notes('mariadb', `${names}yes\tyes\n${end}`, ['yes', 'yes']);
    const donor = 'it is not in step with its cluster';
    await notes('mariadb', `${names}yes\t${donor}\n${end}`, ['yes', donor]);
  });
});
