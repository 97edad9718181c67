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
    variables: { ...passwords, mysql_flavor: flavor },
  });
  const file = ofType(resources, 'file').find(
    (one) => 'path' in one && String(one.path).endsWith('/mysql-writer'),
  );
  if (file === undefined || !('content' in file)) throw new Error('there is no program');
  return String(file.content).replaceAll('/run/mysql-writer', folder);
}

/** What the program notes of a server whose client answers each query like this: for writers, for readers. */
async function noted(flavor: 'mysql' | 'mariadb', answer: string): Promise<readonly (string | undefined)[]> {
  // The last line of all that is asked at a time.
  const last = flavor === 'mysql' ? '*workers' : '*AS?end';
  const client = `#!/bin/sh\nwhile read -r line; do case $line in ${last}\\;*) cat ${folder}/answer ;; esac; done\n`;
  for (const left of ['state', 'clock']) rmSync(join(folder, left), { force: true });
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
    let state = '';
    // It is written several times a second, and empty for a moment each time.
    await expect.poll(() => (state = read()), { timeout: 20_000, interval: 20 }).toMatch(/\n$/);
    return state.trim().split('\t').slice(1);
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
}

const names = 'writer\treplica\n';
const end = 'end\nend\n';
const status = (receives: string, applies: string, behind: string): string =>
  `*************************** 1. row ***************************
              Slave_IO_State: Waiting for master to send event
            Slave_IO_Running: ${receives}
           Slave_SQL_Running: ${applies}
       Seconds_Behind_Master: ${behind}
`;
const readOnly = `${names}it is read-only\tfollows\n`;

describe('what a server may be used for', () => {
  test('is what MySQL says in two columns', async () => {
    expect(await noted('mysql', `${names}yes\tit takes writes\n`)).toEqual(['yes', 'it takes writes']);
    expect(await noted('mysql', `${names}it is read-only\tyes\n`)).toEqual(['it is read-only', 'yes']);
  });

  test('is nothing while its client says an error', async () => {
    const error = 'ERROR 3032 (HY000): The server is currently in offline mode';
    expect(await noted('mysql', `${error}\n`)).toEqual([error, error]);
    expect(await noted('mariadb', `${error}\n`)).toEqual([error, error]);
  });

  test.each([
    ['yes', status('Yes', 'Yes', '0')],
    ['yes', status('Yes', 'Yes', '10')],
    ['it is 11 s behind', status('Yes', 'Yes', '11')],
    ['its replication is stopped', status('Connecting', 'Yes', 'NULL')],
    ['its replication is stopped', status('Yes', 'No', 'NULL')],
    ['it follows no server', ''],
  ])('is for a replica of MariaDB: %s', async (said, shown) => {
    expect(await noted('mariadb', `${readOnly}${shown}${end}`)).toEqual(['it is read-only', said]);
  });

  test('is for a member of Galera what the cluster says', async () => {
    expect(await noted('mariadb', `${names}yes\tyes\n${end}`)).toEqual(['yes', 'yes']);
  });
});
