import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decryptValue } from '../../src/secrets/age.ts';
import { readIdentities } from '../../src/secrets/identity.ts';
import { bareHosts, run, type Finished, type TestHosts } from './hosts.ts';
import type { Marker } from './leaks-marker.ts';
import { hashOf, hostsFile, secretsOfTheSite, variableOf, writeProject } from './leaks-site.ts';
import { filesWith, namesIn, watchProcesses, type Watch } from './leaks-traces.ts';

const names = ['web1', 'web2'] as const;
const [old, young] = [secretsOfTheSite('old'), secretsOfTheSite('new')];
const markers: Marker[] = [...old, ...young];
const outputs: { readonly words: string; readonly finished: Finished }[] = [];

/** Who may keep what: path, owner, mode and secret. Old ones only where programs keep them by themselves. */
const allowed = [
  /^\/etc\/leaks\/\w+ 0:0 600 leaks_\w+ \(new\)$/,
  /^\/etc\/shadow 0:42 640 leaks_hash \(new\)$/,
  // passwd(1) and its kin leave the file of before.
  /^\/etc\/shadow- 0:42 640 leaks_hash \((old|new)\)$/,
  /^\/srv\/app\/environment 0:[1-9]\d* 640 (leaks_environment|app_database_password) \(new\)$/,
  /^\/etc\/alertmanager\/[a-z-]+ 0:[1-9]\d* 640 monitoring_\w+ \(new\)$/,
  // By which a database asks the others who may write.
  /^\/etc\/hostwright\/mysql-observer\.cnf 0:0 600 mysql_observer_password \(new\)$/,
  // A replica stores how it logs in at its primary.
  /^\/var\/lib\/mysql\/(mysql\.ibd|undo_\d+|#ib_\d+_\d\.dblwr|#innodb_redo\/#ib_redo\d+) [1-9]\d*:[1-9]\d* 640 mysql_replication_password \((old|new)\)$/,
];

const expected = {
  web1: [
    ...['file', 'key', 'line', 'stdin', 'template'].map((name) => {
      const path = { line: 'lines', stdin: 'read' }[name] ?? name;
      return `/etc/leaks/${path} 0:0 600 leaks_${name} (new)`;
    }),
    '/etc/shadow 0:42 640 leaks_hash (new)',
    '/etc/shadow- 0:42 640 leaks_hash (old)',
  ],
  web2: [
    '/etc/hostwright/mysql-observer.cnf 0:0 600 mysql_observer_password (new)',
    expect.stringMatching(/mysql\.ibd .* mysql_replication_password \(new\)$/),
    expect.stringMatching(/^\/etc\/alertmanager\/email-password .* monitoring_email_password \(new\)$/),
    expect.stringMatching(/^\/etc\/alertmanager\/slack-url .* monitoring_slack_webhook \(new\)$/),
    expect.stringMatching(/^\/etc\/alertmanager\/webhook-url .* monitoring_webhook \(new\)$/),
  ],
} as const;

let hosts: TestHosts;
let project: string;
let watch: Watch;
let environment: NodeJS.ProcessEnv;

async function hostwright(words: readonly string[], input?: string): Promise<Finished> {
  const command = resolve(import.meta.dirname, '../../bin/hostwright');
  const options = { env: environment, ...(input === undefined ? {} : { input }) };
  const finished = await run(command, words, options);
  outputs.push({ words: words.join(' '), finished });
  return finished;
}

async function succeed(words: readonly string[], input?: string): Promise<void> {
  const finished = await hostwright(words, input);
  expect([0, 2], `${words.join(' ')}\n${finished.stdout}${finished.stderr}`).toContain(finished.code);
}

async function store(secrets: readonly Marker[]): Promise<void> {
  for (const one of secrets) await succeed(['secrets', 'set', variableOf(one)], `${one.value}\n`);
}

/** The value that an encrypted variable of the inventory has now. */
async function generated(): Promise<readonly Marker[]> {
  const file = join(project, 'inventory/group_vars/all/generated.yml');
  const values = parse(await readFile(file, 'utf8')) as Readonly<Record<string, string>>;
  const identities = await readIdentities(join(project, 'home/.config/hostwright/identity.txt'));
  return await Promise.all(
    Object.entries(values).map(async ([name, value]) => {
      const text = (await decryptValue(value, identities)).reveal();
      // Of the CA the key: its certificate is for everybody.
      const core = /PRIVATE KEY-----\n(.{40,})\n/.exec(text)?.[1] ?? text;
      return { name: `${name} (made)`, value: text, core };
    }),
  );
}

/** Sets the password of `boss` for sudo; only its hash is in the command. */
async function setSudoPassword(secrets: readonly Marker[]): Promise<void> {
  const password = secrets.find((one) => variableOf(one) === 'ansible_become_password');
  for (const name of names) {
    const hash = hashOf(password?.value ?? '');
    const done = await hosts.ssh(name, `usermod -p "${hash.replaceAll('$', '\\$')}" boss`);
    expect(done.code, done.stderr).toBe(0);
  }
}

beforeAll(async () => {
  hosts = await bareHosts('leaks', '10.213.100', names.length);
  project = await mkdtemp(join(tmpdir(), 'hostwright-leaks.'));
  for (const folder of ['home', 'tmp', 'out']) await mkdir(join(project, folder), { mode: 0o700 });
  const addresses = [hosts.address('web1'), hosts.address('web2')] as const;
  await writeProject(project, hostsFile(resolve(hosts.inventory, '..'), addresses));
  environment = {
    ...hosts.environment,
    HOSTWRIGHT_INVENTORY: join(project, 'inventory'),
    HOSTWRIGHT_DEBUG: '1',
    HOME: join(project, 'home'),
    TMPDIR: join(project, 'tmp'),
  };
  for (const name of names) {
    const made = await hosts.ssh(
      name,
      `useradd -m boss; cp -r /home/admin/.ssh /home/boss/; chown -R boss: /home/boss/.ssh; echo "boss ALL=(ALL) ALL" >/etc/sudoers.d/boss`,
    );
    expect(made.code, made.stderr).toBe(0);
  }
  watch = await watchProcesses(markers);
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

/** What fails, with the secret at hand, in each way. */
async function failInEveryWay(): Promise<void> {
  for (const fault of ['template', 'stderr', 'validator', 'sql', 'line', 'hash', 'base64']) {
    const finished = await hostwright([
      ...['apply', '--yes', '--limit', 'web1', '--role', 'leaks', '-e', `leaks_fault=${fault}`],
      ...['--report', join(project, `out/${fault}.html`)],
      ...(fault === 'stderr' ? ['--json'] : []),
    ]);
    expect(finished.code, `${fault}\n${finished.stdout}${finished.stderr}`).toBeGreaterThan(0);
  }
  const wrong = await hostwright(['plan', '-e', '{"leaks_number": "{{leaks_file}}"}']);
  expect(wrong.code, wrong.stdout + wrong.stderr).toBe(4);
}

describe('a site full of secrets', () => {
  it('is provisioned', async () => {
    await setSudoPassword(old);
    await store(old);
    await succeed(['plan']);
    await succeed(['plan', '--json', '--out', join(project, 'out/first.plan')]);
    markers.push(...(await generated()));
    await succeed(['apply', '--yes', '--json', '--report', join(project, 'out/first.html')]);
    await succeed(['drift', '--json', '--textfile', join(project, 'out/drift.prom')]);
  }, 900_000);

  it('fails in every way with a secret at hand', failInEveryWay);

  it('gets other secrets', async () => {
    await store(young);
    const refused = await hostwright(['plan']);
    expect(refused.stderr).toContain('E_SUDO');
    await setSudoPassword(young);
    await hosts.ssh('web1', 'rm /etc/leaks/read');
    await succeed(['secrets', 'rotate']);
    await succeed(['secrets', 'check']);
    await succeed(['plan', '--out', join(project, 'out/second.plan')]);
    await succeed(['apply', join(project, 'out/second.plan')]);
    await succeed(['drift']);
    await succeed(['history']);
    expect(outputs.at(-1)?.finished.stdout).toContain('apply by');
  });

  it('fails in every way with the other secrets', failInEveryWay);
});

describe('afterwards no secret, old or new, is', () => {
  it('in anything that was printed', () => {
    const found = outputs.flatMap(({ words, finished }) => {
      const inside = namesIn(finished.stdout + finished.stderr, markers);
      return inside.length === 0 ? [] : [{ words, inside, text: finished.stdout + finished.stderr }];
    });
    expect(found).toEqual([]);
    expect(outputs.some(({ finished }) => finished.stderr.includes('***'))).toBe(true);
  });

  it('in the process list or the environment of any process', async () => {
    const { traces, rounds } = await watch.end();
    // The application itself has them; its environment is for its own user and root.
    const others = traces.filter(
      ({ where }) => !/^environ of uid [1-9]\d*: python3 -m http\.server/.test(where),
    );
    expect(others).toEqual([]);
    expect(traces).not.toHaveLength(0);
    expect(rounds).toBeGreaterThan(100);
  });

  it('in any file on this machine', async () => {
    expect(
      await filesWith(markers, [project, resolve(hosts.inventory, '..'), '/var/tmp', '/dev/shm'], ['hosts']),
    ).toEqual([]);
  });

  it.each(names)('in any file of %s, but for those it is for', async (name) => {
    const upper = join(hosts.inventory, '../hosts', name, 'upper');
    const found = (await filesWith(markers, [upper])).flatMap(({ where, markers: held }) =>
      held.map((one) => `${where.slice(upper.length)} ${one}`),
    );
    const isAllowed = (trace: string): boolean => allowed.some((pattern) => pattern.test(trace));
    expect(found.filter((trace) => !isAllowed(trace))).toEqual([]);
    // The search finds what is there.
    expect(found.filter(isAllowed).toSorted()).toEqual(expect.arrayContaining([...expected[name]]));
  });

  it.each(names)('in the memory file systems of %s', async (name) => {
    const copied = await hosts.ssh(name, 'tar -C / -c run tmp dev/shm 2>/dev/null | base64 -w0');
    const folder = join(project, 'out', name);
    await mkdir(folder);
    const bytes = Buffer.from(copied.stdout, 'base64');
    expect(bytes.includes('run/systemd')).toBe(true);
    expect(namesIn(bytes.toString('latin1'), markers)).toEqual([]);
  });
});
