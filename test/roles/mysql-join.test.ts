import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '../../roles/mysql/mysql-join.sh');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-join-'));
  mkdirSync(join(folder, 'bin'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A client that notes what it is told: `others` is what each other member answers. */
const client = (others: Readonly<Record<string, string>>): string => `#!/bin/sh
for word; do case $word in --host=*) host=\${word#--host=} ;; esac; done
given=$(cat)
if [ -n "\${host-}" ]; then
  printf '%s asked as %s\\n' "$host" "$(printf '%s' "$given" | tr '\\n' ' ')" >>${folder}/notes
  case $host in
${Object.entries(others)
  .map(([host, answer]) => `    ${host}) echo "${answer}" ;;`)
  .join('\n')}
  esac
  exit 0
fi
case $given in
  *MEMBER_STATE,*) echo OFFLINE ;;
  *'[client]'*) printf '[client]\\nuser=replication\\n' ;;
  *local_address*) echo 10.0.0.1:3306 ;;
  *group_seeds*) echo 10.0.0.1:3306,10.0.0.2:3306,[fd00::3]:3306 ;;
  *) echo "$given" >>${folder}/notes ;;
esac
`;

function run(others: Readonly<Record<string, string>>, ...words: readonly string[]) {
  writeFileSync(join(folder, 'bin/mysql'), client(others), { mode: 0o755 });
  const program = readFileSync(source, 'utf8').replaceAll('/run/mysql-group.lock', join(folder, 'lock'));
  writeFileSync(join(folder, 'program'), program);
  writeFileSync(join(folder, 'notes'), '');
  const { status, stderr } = spawnSync('sh', [join(folder, 'program'), ...words], {
    env: { PATH: `${folder}/bin:${process.env['PATH']}` },
    encoding: 'utf8',
  });
  return { status, stderr, notes: readFileSync(join(folder, 'notes'), 'utf8') };
}

const away = "ERROR 2003 (HY000): Can't connect to MySQL server on '10.0.0.2:3306' (111)";

test('a server joins where another member says that it is in a group, also where others do not answer', () => {
  const { status, notes } = run({ '10.0.0.2': away, 'fd00::3': '2' });
  expect(status).toBe(0);
  expect(notes).toContain('10.0.0.2 asked as [client] user=replication');
  expect(notes).not.toContain('10.0.0.1 asked');
  expect(notes).toContain('START GROUP_REPLICATION;');
  expect(notes).not.toContain('bootstrap_group = ON');
});

test('a server joins where it is not known what another member says', () => {
  const { notes } = run({ '10.0.0.2': '0', 'fd00::3': 'ERROR 1142 (42000): SELECT command denied' });
  expect(notes).toContain('START GROUP_REPLICATION;');
});

test('a server waits for no group that nobody is in, and says so to the one who waits for it', () => {
  const nobody = { '10.0.0.2': away, 'fd00::3': '0' };
  const timer = run(nobody);
  expect(timer.status).toBe(0);
  expect(timer.notes).not.toContain('START');
  const waiting = run(nobody, 'wait');
  expect(waiting.status).toBe(1);
  expect(waiting.notes).not.toContain('START');
  expect(waiting.stderr).toContain('no other member is in a group, or none can be reached');
});
