import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareHosts, jsonLines, named, type Finished, type TestHosts } from './hosts.ts';

let hosts: TestHosts;
let project: string;

/** The databases of the lab alone, web2 and web3, with the other flavor than the site test has. */
const variables = JSON.stringify({ mysql_flavor: 'mariadb', mysql_databases: ['shop'] });

async function hostwright(verb: string, ...words: readonly string[]): Promise<Finished> {
  return await hosts.hostwright(
    verb,
    '-i',
    join(project, 'hosts.yml'),
    '-e',
    variables,
    '--limit',
    'db',
    ...words,
  );
}

async function sql(host: string, statement: string): Promise<string> {
  const answer = await hosts.ssh(host, `mariadb --batch --skip-column-names -e "${statement}"`);
  return answer.code === 0 ? answer.stdout.trim() : answer.stderr;
}

async function replicaStatus(): Promise<string> {
  return (await hosts.ssh('web3', `mariadb -e "SHOW REPLICA STATUS\\G"`)).stdout;
}

beforeAll(async () => {
  hosts = await bareHosts('mariadb', '10.213.95', 3);
  project = await mkdtemp(join(tmpdir(), 'hostwright-mariadb-'));
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(project, 'hosts.yml'));
  await writeFile(
    join(project, 'site.yml'),
    '- hosts: db\n  roles: [pki]\n- hosts: db\n  serial: 1\n  roles: [mysql]\n',
  );
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

describe('MariaDB, primary and replica', () => {
  it('is provisioned as the plan says, and has nothing to do in a second run', async () => {
    const plan = await hostwright('plan', '--json');
    const apply = await hostwright('apply', '--yes', '--json');
    expect(apply.code, apply.stderr).toBe(0);
    expect(named(apply, 'result')).toEqual(named(plan, 'change'));
    const again = await hostwright('plan', '--json');
    expect(named(again, 'change'), again.stdout).toEqual([]);
  });

  it('replicates over verified TLS, to a replica that is read-only', async () => {
    expect(
      await sql('web2', 'CREATE TABLE shop.item (id INT PRIMARY KEY); INSERT INTO shop.item VALUES (7)'),
    ).toBe('');
    await expect
      .poll(() => sql('web3', 'SELECT id FROM shop.item'), { timeout: 10_000, interval: 100 })
      .toBe('7');
    const status = await replicaStatus();
    expect(status).toMatch(/Master_SSL_Allowed: Yes/);
    expect(status).toMatch(/Master_SSL_Verify_Server_Cert: Yes/);
    expect(await sql('web3', 'SELECT @@read_only')).toBe('1');
  });

  it('is shown by do mysql status', async () => {
    const [answer] = jsonLines(
      await hosts.hostwright(
        ...['do', '-i', join(project, 'hosts.yml'), '-e', variables],
        ...['mysql', 'status', '--json'],
      ),
    );
    expect(answer).toMatchObject({
      rows: [
        { host: 'web2', state: 'writes', follows: null },
        { host: 'web3', state: 'read-only', follows: 'web2', lag: '0 s', errant: 'none' },
      ],
    });
  });

  it('starts a replica again that was stopped by hand', async () => {
    await sql('web3', 'STOP REPLICA');
    const plan = await hostwright('plan', '--json');
    expect(named(plan, 'change')).toEqual(['web3 mysql_replica:web2 update']);
    expect((await hostwright('apply', '--yes')).code).toBe(0);
    expect(await replicaStatus()).toMatch(/Slave_SQL_Running: Yes/);
    expect((await hostwright('plan')).code).toBe(0);
  });

  it('never joins a replica to another history, however many transactions that has by now', async () => {
    const lost = async (): Promise<string> => {
      const changes = jsonLines(await hostwright('plan', '--json'));
      const change = changes.find((line) => line['resource'] === 'mysql_replica:web2');
      const attributes = (change?.['attributes'] ?? []) as readonly { name: string; from: unknown }[];
      return String(attributes.find(({ name }) => name === 'ownTransactions')?.from);
    };
    await sql('web2', 'RESET MASTER');
    await sql('web2', 'INSERT INTO shop.item VALUES (10); INSERT INTO shop.item VALUES (11)');
    const mark = await lost();
    expect(mark).toMatch(/^17\d{8}-\d+-\d+$/);
    // The primary gives out the same numbers again, and more of them.
    const insert = Array.from({ length: 60 }, (_, at) => `INSERT INTO shop.item VALUES (${at + 30});`);
    await sql('web2', insert.join(' '));
    expect(await lost()).toBe(mark);
    const refused = await hostwright('apply', '--yes');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(mark);
    expect(await replicaStatus()).toMatch(/Slave_SQL_Running: No/);
    const apply = await hostwright('apply', '--yes', '-e', `mysql_discard_transactions=${mark}`);
    expect(apply.code, apply.stdout).toBe(0);
    expect(await sql('web3', 'SELECT COUNT(*) FROM shop.item')).toBe(
      await sql('web2', 'SELECT COUNT(*) FROM shop.item'),
    );
    expect((await hostwright('plan')).code).toBe(0);
  });

  it('lets a replica take the writes that lost its data and has got a copy, from a primary that got them back', async () => {
    const rows = (host: string) => sql(host, 'SELECT COUNT(*) FROM shop.item');
    const promoted = async (host: string): Promise<void> => {
      const site = ['-i', join(project, 'hosts.yml'), '-e', variables];
      const done = await hosts.hostwright('do', ...site, 'mysql', 'promote', host, '--yes');
      expect(done.code, done.stdout + done.stderr).toBe(0);
      expect((await hostwright('plan')).code).toBe(0);
    };
    await promoted('web3');
    await sql('web3', 'INSERT INTO shop.item VALUES (100); INSERT INTO shop.item VALUES (101)');
    await expect.poll(() => rows('web2'), { timeout: 10_000, interval: 100 }).toBe(await rows('web3'));
    await promoted('web2');
    expect(await sql('web2', 'SELECT @@read_only')).toBe('0');
    await sql('web2', 'INSERT INTO shop.item VALUES (102)');

    await hosts.ssh('web3', 'systemctl stop mariadb; apt-get -y purge mariadb-server; rm -rf /var/lib/mysql');
    expect((await hostwright('apply', '--yes')).code).toBe(0);
    expect(await sql('web3', 'SELECT id FROM shop.item WHERE id = 7')).toBe('7');
    expect(await rows('web3')).toBe(await rows('web2'));
    // Who wrote what is a part of the copy: without it the former primary has transactions that this one lacks.
    const history = (host: string) => sql(host, 'SELECT @@gtid_binlog_state');
    expect(await history('web3')).toBe(await history('web2'));
    await promoted('web3');
  });
});
