import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { encryptValue } from '../../src/secrets/age.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { sh } from '../../src/transport/shell.ts';
import { jsonLines, run, type Finished } from './hosts.ts';
import { journalHosts, type JournalHost, type JournalHosts } from './journal-hosts.ts';
import { openWire } from './wire.ts';

const command = resolve(import.meta.dirname, '../../bin/hostwright');
const password = 'correct horse battery';

let all: JournalHosts;
let identity: string;
let encrypted: string;

beforeAll(async () => {
  all = await journalHosts(['web1', 'web2', 'web3']);
  const key = await generateX25519Identity();
  identity = join(all.folder, 'identity.txt');
  writeFileSync(identity, `${key}\n`, { mode: 0o600 });
  encrypted = await encryptValue(new Secret(password), [await identityToRecipient(key)]);
}, 60_000);
afterAll(async () => all.stop());

/** An inventory of the hosts; `ports` leads some of them through another port. */
function inventory(ports: Readonly<Record<string, number>> = {}): string {
  const file = join(all.folder, `hosts-${Object.values(ports).join('-') || 'all'}.yml`);
  const hosts = Object.fromEntries(all.hosts.map((one) => [one.name, one.variables(ports[one.name])]));
  writeFileSync(file, JSON.stringify({ all: { hosts, vars: { mysql_password: encrypted } } }));
  return file;
}

const environment = { ...process.env, NO_COLOR: '1', LC_ALL: 'C.UTF-8' };

async function logs(
  words: readonly string[],
  ports: Readonly<Record<string, number>> = {},
): Promise<Finished> {
  const env = { ...environment, HOSTWRIGHT_INVENTORY: inventory(ports), HOSTWRIGHT_IDENTITY: identity };
  return run(command, ['logs', ...words], { env });
}

function host(name: string): JournalHost {
  const found = all.hosts.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
}

async function say(name: string, message: string, priority = 'info'): Promise<void> {
  await host(name).shell(sh`systemd-cat -t app -p ${priority} printf '%s\n' ${message}`);
}

/** `host message` of each line of --json. */
function said(finished: Pick<Finished, 'stdout'>): readonly string[] {
  return jsonLines({ code: 0, stderr: '', ...finished })
    .filter(({ type }) => type === 'log')
    .map((line) => `${String(line['host'])} ${String(line['message'])}`);
}

describe('hostwright logs', () => {
  it('merges the journals of hosts by time', async () => {
    const order = [1, 3, 2, 2, 1, 3, 1, 2, 3].map(
      (number, index) => [`web${number}`, `merged ${index}`] as const,
    );
    for (const [name, message] of order) await say(name, message);
    const { code, stdout } = await logs(['--json', '--grep', '^merged']);
    expect(said({ stdout })).toEqual(order.map((words) => words.join(' ')));
    expect(code).toBe(0);
    const [first] = jsonLines({ code, stdout, stderr: '' });
    expect(first).toMatchObject({ type: 'log', host: 'web1', identifier: 'app', priority: 6 });
    expect(first?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    const some = await logs(['web1:web2', '--json', '--grep', '^merged']);
    expect(said(some)).toEqual(order.filter(([name]) => name !== 'web3').map((words) => words.join(' ')));
  });

  it('selects by priority and text, and finds nothing without an error', async () => {
    await say('web2', 'chosen: all is lost', 'err');
    await say('web3', 'chosen: all is well');
    expect(said(await logs(['--json', '--priority', 'warning', '--grep', '^chosen']))).toEqual([
      'web2 chosen: all is lost',
    ]);
    expect(await logs(['--grep', 'such a line is not there'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('makes what comes from a host harmless, and masks the secrets of the site', async () => {
    await say('web1', `hostile \u001b[2J ${password}`);
    const { stdout } = await logs(['--grep', '^hostile']);
    expect(stdout).toMatch(/^[\d-]+ [\d:.]+ web1 app(\[\d+\])?: hostile \\x1b\[2J \*\*\*\n$/);
    expect(said(await logs(['--json', '--grep', '^hostile']))).toEqual(['web1 hostile \u001b[2J ***']);
  });

  it.each([
    [['--since', 'half past ten'], 'Failed to parse timestamp: half past ten', 'a time is such as'],
    [['--priority', 'loud'], 'Unknown log level loud', 'a priority is 0 to 7'],
    [['--grep', '('], 'Bad pattern', 'regular expression'],
  ])('refuses %j once, with the reason of journalctl', async (words, reason, hint) => {
    const { code, stdout, stderr } = await logs(words);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr.split(reason)).toHaveLength(2);
    expect(stderr).toContain(hint);
    expect(stderr).toContain('E_USAGE');
  });

  it('shows the others where one host cannot be reached', async () => {
    await say('web1', 'reached one');
    await say('web3', 'reached three');
    const found = await logs(['--json', '--grep', '^reached'], { web2: 1 });
    expect(said(found)).toEqual(['web1 reached one', 'web3 reached three']);
    expect(found.code).toBe(3);
    expect(found.stderr).toContain('web2');
  });
});

describe('hostwright logs --follow', () => {
  it('loses no line over a lost connection, and shows none twice', async () => {
    const wire = await openWire({ address: '127.0.0.1', port: host('web2').port });
    onTestFinished(() => wire.close());
    await say('web1', 'followed 0');
    const env = {
      ...environment,
      HOSTWRIGHT_INVENTORY: inventory({ web2: wire.port }),
      HOSTWRIGHT_IDENTITY: identity,
    };
    const child = spawn(command, ['logs', '--json', '--follow', '--grep', '^followed'], { env });
    onTestFinished(() => {
      child.kill();
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const messages = (): readonly string[] => said({ stdout: stdout.slice(0, stdout.lastIndexOf('\n') + 1) });
    const seen = async (count: number): Promise<void> =>
      vi.waitFor(() => expect(messages().length).toBeGreaterThanOrEqual(count), {
        timeout: 20_000,
        interval: 50,
      });

    await seen(1);
    await say('web2', 'followed 1');
    await seen(2);
    wire.cut();
    await say('web2', 'followed 2');
    await say('web1', 'followed 3');
    await seen(3);
    await say('web2', 'followed 4');
    await seen(5);
    await say('web3', 'followed 5');
    await seen(6);
    expect([...messages()].toSorted((one, other) => one.slice(5).localeCompare(other.slice(5)))).toEqual([
      'web1 followed 0',
      'web2 followed 1',
      'web2 followed 2',
      'web1 followed 3',
      'web2 followed 4',
      'web3 followed 5',
    ]);
    expect(stderr).toContain('web2: connected again');

    child.kill();
    for (const one of all.hosts) {
      await vi.waitFor(
        async () => expect(await one.shell(sh`pgrep -f 'journalctl.*[-]-follow.*followe[d]' || :`)).toBe(''),
        { timeout: 10_000, interval: 200 },
      );
    }
  });
});
