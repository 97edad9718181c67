import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareHosts, jsonLines, type Finished, type TestHosts } from './hosts.ts';

let hosts: TestHosts;
let project: string;

/** The databases of the lab alone, web2 and web3, with the other flavor than the site test has. */
async function hostwright(verb: string, ...words: readonly string[]): Promise<Finished> {
  const variables = JSON.stringify({ mysql_flavor: 'mariadb', mysql_databases: ['shop'] });
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

function named(finished: Finished, type: string): readonly string[] {
  return jsonLines(finished)
    .filter((line) => line.type === type)
    .map((line) => `${String(line['host'])} ${String(line['resource'])} ${String(line['action'])}`)
    .toSorted();
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

  it('starts a replica again that was stopped by hand', async () => {
    await sql('web3', 'STOP REPLICA');
    const plan = await hostwright('plan', '--json');
    expect(named(plan, 'change')).toEqual(['web3 mysql_replica:web2 update']);
    expect((await hostwright('apply', '--yes')).code).toBe(0);
    expect(await replicaStatus()).toMatch(/Slave_SQL_Running: Yes/);
    expect((await hostwright('plan')).code).toBe(0);
  });

  it('gives a replica that lost its data a copy of the primary', async () => {
    await hosts.ssh('web3', 'systemctl stop mariadb; apt-get -y purge mariadb-server; rm -rf /var/lib/mysql');
    expect((await hostwright('apply', '--yes')).code).toBe(0);
    expect(await sql('web3', 'SELECT id FROM shop.item')).toBe('7');
    expect((await hostwright('plan')).code).toBe(0);
  });
});
