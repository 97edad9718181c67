import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import agent from '../../roles/monitoring_agent/role.ts';
import { ofType, resourcesOf } from '../../src/testing/index.ts';

type Line = Readonly<Record<string, string | readonly number[]>>;

/** As journalctl: from the cursor on, or the last line. */
const journalctl = `#!/bin/sh
for word; do
  case $word in
  --cursor=*) sed -n "/\\"__CURSOR\\":\\"\${word#*=}\\"/,\\$p" "$FOLDER/journal"; exit ;;
  --lines=1) tail -n 1 "$FOLDER/journal"; exit ;;
  esac
done
`;

let folder: string;
let script: string;
let lines: Line[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-journal-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/journalctl'), journalctl);
  chmodSync(join(folder, 'bin/journalctl'), 0o755);
  const declared = ofType(resourcesOf(agent, {}), 'file').find(
    (one) => 'path' in one && one.path === '/usr/local/lib/hostwright/journal-metrics',
  );
  script =
    declared !== undefined && 'content' in declared
      ? String(declared.content)
          .replace('/var/lib/prometheus/node-exporter', folder)
          .replace('/var/lib/hostwright-journal-metrics', folder)
      : '';
  lines = [];
  say({ MESSAGE: 'of before', PRIORITY: '0' });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function say(...more: readonly Line[]): void {
  lines.push(...more);
  const text = lines.map((line, index) => JSON.stringify({ __CURSOR: `s=1;i=${index}`, ...line }));
  writeFileSync(join(folder, 'journal'), `${text.join('\n')}\n`);
}

function count(): Readonly<Record<string, number>> {
  const env = { ...process.env, PATH: `${folder}/bin:${process.env['PATH']}`, FOLDER: folder };
  execFileSync('sh', ['-c', script], { env });
  const text = readFileSync(join(folder, 'hostwright_journal.prom'), 'utf8');
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, number] => [
        line.slice('hostwright_'.length, line.lastIndexOf(' ')),
        Number(line.slice(line.lastIndexOf(' '))),
      ]),
  );
}

const none = {
  journal_errors_total: 0,
  'journal_login_failures_total{program="ssh"}': 0,
  'journal_login_failures_total{program="sudo"}': 0,
  journal_suppressed_total: 0,
};

describe('the counts of a journal', () => {
  it('begin at its end, and count each line once', () => {
    expect(count()).toEqual(none);
    expect(count()).toEqual(none);
    say({ MESSAGE: 'bad', PRIORITY: '3', _SYSTEMD_UNIT: 'app.service' });
    expect(count()).toEqual({
      ...none,
      journal_errors_total: 1,
      'journal_unit_errors_total{unit="app.service"}': 1,
    });
    expect(count()['journal_errors_total']).toBe(1);
    expect(readdirSync(folder).toSorted()).toEqual(['bin', 'hostwright_journal.prom', 'journal', 'state']);
  });

  it('tell errors, failed logins and dropped lines', () => {
    count();
    const ssh = { _SYSTEMD_UNIT: 'ssh.service', PRIORITY: '6' };
    say(
      { ...ssh, MESSAGE: 'Connection closed by authenticating user root 10.0.0.9 port 40000 [preauth]' },
      { ...ssh, MESSAGE: 'Disconnected from invalid user x 10.0.0.9 port 40001 [preauth]' },
      { ...ssh, MESSAGE: 'Accepted publickey for admin from 10.0.0.1 port 40002 ssh2' },
      {
        _COMM: 'sudo',
        MESSAGE: 'x : 3 incorrect password attempts ; TTY=pts/0 ; USER=root ; COMMAND=/bin/sh',
      },
      { _TRANSPORT: 'driver', MESSAGE: 'Suppressed 1200 messages from nginx.service' },
      { _PID: '1', UNIT: 'app.service', MESSAGE: 'failed', PRIORITY: '3' },
      { _TRANSPORT: 'kernel', MESSAGE: 'oops', PRIORITY: '2' },
      { _SYSTEMD_UNIT: 'session-71.scope', PRIORITY: '3', MESSAGE: [104, 255] },
      { _SYSTEMD_UNIT: 'app.service', PRIORITY: '4', MESSAGE: 'a warning' },
    );
    expect(count()).toEqual({
      journal_errors_total: 3,
      'journal_unit_errors_total{unit="app.service"}': 1,
      'journal_unit_errors_total{unit="kernel"}': 1,
      'journal_unit_errors_total{unit="session.scope"}': 1,
      'journal_login_failures_total{program="ssh"}': 2,
      'journal_login_failures_total{program="sudo"}': 1,
      journal_suppressed_total: 1200,
    });
  });

  it('cannot be made up by what a program writes', () => {
    count();
    say(
      {
        _SYSTEMD_UNIT: 'app.service',
        MESSAGE: 'x","PRIORITY":"0","_TRANSPORT":"driver","MESSAGE":"Suppressed 9 messages from x',
        PRIORITY: '6',
      },
      { _SYSTEMD_UNIT: 'app.service', UNIT: 'mysql.service', MESSAGE: 'x', PRIORITY: '3' },
      { _SYSTEMD_UNIT: 'app.service', MESSAGE: 'Suppressed 9 messages from x', PRIORITY: '6' },
      {
        _SYSTEMD_UNIT: 'app.service',
        MESSAGE: 'Disconnected from invalid user x 10.0.0.9 port 1',
        PRIORITY: '6',
      },
    );
    expect(count()).toEqual({
      ...none,
      journal_errors_total: 1,
      'journal_unit_errors_total{unit="app.service"}': 1,
    });
  });

  it('stay bounded, whatever units there are', () => {
    count();
    say(
      ...Array.from({ length: 500 }, (_, index) => ({
        _SYSTEMD_UNIT: `u${index}.service`,
        PRIORITY: '3',
        MESSAGE: 'x',
      })),
    );
    const counts = count();
    expect(Object.keys(counts).length).toBeLessThan(210);
    expect(counts['journal_errors_total']).toBe(500);
    expect(counts['journal_unit_errors_total{unit="other"}']).toBe(300);
  });

  it('go on after a journal that was lost', () => {
    count();
    say({ MESSAGE: 'bad', PRIORITY: '3', _SYSTEMD_UNIT: 'app.service' });
    count();
    const state = readFileSync(join(folder, 'state'), 'utf8');
    writeFileSync(join(folder, 'journal'), '');
    expect(count()['journal_errors_total']).toBe(1);
    expect(readFileSync(join(folder, 'state'), 'utf8')).toBe(state);
  });
});
