import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labSettings } from '../../src/lab/settings.ts';
import { stopHost } from '../../src/lab/host.ts';
import { bareHosts, jsonLines, type Finished, type TestHosts } from './hosts.ts';

let hosts: TestHosts;
let project: string;

async function hostwright(verb: string, ...words: readonly string[]): Promise<Finished> {
  return await hosts.hostwright(verb, '-i', join(project, 'hosts.yml'), ...words);
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

const status = (host: string, name: string): Promise<string> =>
  sql(
    host,
    `SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'wsrep_${name}'`,
  );

/** Of the cluster that a member is in: whoever has another one is in a second cluster. */
const cluster = (host: string): Promise<string> => status(host, 'cluster_state_uuid');

async function isWhole(): Promise<void> {
  for (const host of ['web2', 'web3'])
    await expect.poll(() => status(host, 'cluster_size'), { timeout: 120_000, interval: 500 }).toBe('3');
  expect(await cluster('web3')).toBe(await cluster('web2'));
}

async function applied(): Promise<void> {
  const apply = await hostwright('apply', '--yes');
  expect(apply.code, apply.stdout + apply.stderr).toBe(0);
  const plan = await hostwright('plan');
  expect(plan.code, plan.stdout).toBe(0);
}

beforeAll(async () => {
  hosts = await bareHosts('galeratest', '10.213.107', 3);
  project = await mkdtemp(join(tmpdir(), 'hostwright-galera-'));
  const inventory = await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8');
  const layout = `    mysql_topology: group
    mysql_flavor: mariadb
    mysql_databases: [shop]
    mysql_innodb_buffer_pool_size: 128M
  children:
    app: { hosts: {} }
    db: { hosts: { web2: , web3: } }
    arbitrator: { hosts: { web1: } }
`;
  await writeFile(join(project, 'hosts.yml'), inventory.slice(0, inventory.indexOf('  children:')) + layout);
  await writeFile(
    join(project, 'site.yml'),
    `- hosts: all
  roles: [pki]
- hosts: db
  serial: 1
  max_fail_percentage: 100
  roles: [mysql]
- hosts: arbitrator
  roles: [galera_arbitrator]
`,
  );
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

describe('two databases and an arbitrator', () => {
  it('are made from bare hosts as the plan says, which says who begins the cluster', async () => {
    const plan = await hostwright('plan', '--json');
    expect(plan.stdout).toContain('begins a new cluster');
    const apply = await hostwright('apply', '--yes', '--json');
    expect(apply.code, apply.stdout + apply.stderr).toBe(0);
    expect(named(apply, 'result')).toEqual(named(plan, 'change'));
    expect(named(await hostwright('plan', '--json'), 'change')).toEqual([]);
    await isWhole();
    expect(
      await sql('web2', 'CREATE TABLE shop.item (id INT PRIMARY KEY); INSERT INTO shop.item VALUES (7)'),
    ).toBe('');
    await expect.poll(() => sql('web3', 'SELECT id FROM shop.item'), { timeout: 10_000 }).toBe('7');
  });

  it('go on without the process of one, which comes back by itself', async () => {
    await hosts.shell('web2', 'systemctl kill --signal KILL mariadb');
    await expect.poll(() => sql('web3', 'INSERT INTO shop.item VALUES (8)'), { timeout: 30_000 }).toBe('');
    await isWhole();
    expect(await sql('web2', 'SELECT COUNT(*) FROM shop.item')).toBe('2');
  });

  it('have settings that were changed by hand set again, without a restart', async () => {
    const started = await hosts.shell('web3', 'systemctl show -p ExecMainPID mariadb');
    await sql('web3', 'SET GLOBAL wsrep_max_ws_rows = 5');
    const plan = await hostwright('plan', '--json');
    expect(named(plan, 'change')).toEqual(['web3 mysql_settings:mariadb update']);
    await applied();
    expect(await hosts.shell('web3', 'systemctl show -p ExecMainPID mariadb')).toBe(started);
  });

  it('give a member that was emptied all data again', async () => {
    const before = await cluster('web2');
    await hosts.shell('web3', 'systemctl stop mariadb; find /var/lib/mysql -mindepth 1 -delete');
    await applied();
    await isWhole();
    expect(await cluster('web3')).toBe(before);
    expect(await sql('web3', 'SELECT COUNT(*) FROM shop.item')).toBe('2');
  });

  it('begin no second cluster: an emptied member of which nobody else answers is not started', async () => {
    const before = await cluster('web3');
    // web2 is emptied and cut off from the others, and the controller does not reach these.
    await hosts.shell('web2', 'systemctl stop mariadb; find /var/lib/mysql -mindepth 1 -delete');
    const others = [hosts.address('web1'), hosts.address('web3')];
    const cut = (verb: string): string =>
      others
        .map(
          (from) =>
            `iptables -w -${verb} INPUT -s ${from} -j DROP; iptables -w -${verb} OUTPUT -d ${from} -j DROP`,
        )
        .join('; ');
    await hosts.shell('web2', `apt-get -qq install -y iptables >/dev/null 2>&1; ${cut('I')}`);
    const alone = await hostwright('apply', '--yes', '--limit', 'web2');
    expect(alone.code).toBe(1);
    expect(alone.stdout).toContain('a cluster cannot be begun');
    expect(alone.stdout).toMatch(/web3: did not answer/);
    const together = await hostwright('apply', '--yes');
    expect(together.code).toBe(1);
    expect(await hosts.shell('web2', 'systemctl is-active mariadb || :')).not.toMatch(/^active/);
    await hosts.shell('web2', cut('D'));
    await applied();
    await isWhole();
    expect(await cluster('web2')).toBe(before);
  });

  it('refuse to begin one while the arbitrator holds it without data, and say the cure', async () => {
    const before = await cluster('web2');
    await hosts.shell('web3', 'systemctl stop mariadb');
    await hosts.shell('web2', 'systemctl stop mariadb');
    const refused = await hostwright('apply', '--yes');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('systemctl stop garb');
    await hosts.shell('web1', 'systemctl stop garb');
    await applied();
    await isWhole();
    expect(await cluster('web2')).toBe(before);
    expect(await sql('web3', 'SELECT COUNT(*) FROM shop.item')).toBe('2');
  });

  it('come back by themselves after a loss of power of all', async () => {
    const before = await cluster('web2');
    const settings = labSettings(hosts.environment);
    await Promise.all(['web1', 'web2', 'web3'].map((host) => stopHost(settings, host)));
    const up = await hosts.hostwright('lab', 'up', '--hosts', '3');
    expect(up.code, up.stderr).toBe(0);
    await isWhole();
    expect(await cluster('web2')).toBe(before);
    const plan = await hostwright('plan');
    expect(plan.code, plan.stdout).toBe(0);
  });
});
