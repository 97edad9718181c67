import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { galeraSite, type GaleraSite } from './galera-cluster.ts';
import { named } from './hosts.ts';

let site: GaleraSite;

beforeAll(async () => {
  site = await galeraSite('galeratest', '10.213.107');
});

afterAll(async () => {
  await site.down();
});

describe('two databases and an arbitrator', () => {
  it('are made from bare hosts as the plan says, which says who begins the cluster', async () => {
    const plan = await site.hostwright('plan', '--json');
    expect(plan.stdout).toContain('begins a new cluster');
    const apply = await site.hostwright('apply', '--yes', '--json');
    expect(apply.code, apply.stdout + apply.stderr).toBe(0);
    expect(named(apply, 'result')).toEqual(named(plan, 'change'));
    expect(named(await site.hostwright('plan', '--json'), 'change')).toEqual([]);
    await site.isWhole();
    expect(
      await site.sql('web2', 'CREATE TABLE shop.item (id INT PRIMARY KEY); INSERT INTO shop.item VALUES (7)'),
    ).toBe('');
    await expect.poll(() => site.sql('web3', 'SELECT id FROM shop.item'), { timeout: 10_000 }).toBe('7');
  });

  it('go on without the process of one, which comes back by itself', async () => {
    await site.hosts.shell('web2', 'systemctl kill --signal KILL mariadb');
    await expect
      .poll(() => site.sql('web3', 'INSERT INTO shop.item VALUES (8)'), { timeout: 30_000 })
      .toBe('');
    await site.isWhole();
    expect(await site.sql('web2', 'SELECT COUNT(*) FROM shop.item')).toBe('2');
  });

  it('have settings that were changed by hand set again, without a restart', async () => {
    const started = await site.hosts.shell('web3', 'systemctl show -p ExecMainPID mariadb');
    await site.sql('web3', 'SET GLOBAL wsrep_max_ws_rows = 5');
    const plan = await site.hostwright('plan', '--json');
    expect(named(plan, 'change')).toEqual(['web3 mysql_settings:mariadb update']);
    await site.applied();
    expect(await site.hosts.shell('web3', 'systemctl show -p ExecMainPID mariadb')).toBe(started);
  });
});
