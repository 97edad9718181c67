import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stopHost } from '../../src/lab/host.ts';
import { labSettings } from '../../src/lab/settings.ts';
import { galeraSite, type GaleraSite } from '../lab/galera-cluster.ts';

let site: GaleraSite;

beforeAll(async () => {
  site = await galeraSite('galerafaults', '10.213.108');
  await site.applied();
  await site.sql(
    'web2',
    'CREATE TABLE shop.item (id INT PRIMARY KEY); INSERT INTO shop.item VALUES (7), (8)',
  );
});

afterAll(async () => {
  await site.down();
});

describe('two databases and an arbitrator', () => {
  it('give a member that was emptied all data again', async () => {
    const before = await site.cluster('web2');
    await site.hosts.shell('web3', 'systemctl stop mariadb; find /var/lib/mysql -mindepth 1 -delete');
    await site.applied();
    await site.isWhole();
    expect(await site.cluster('web3')).toBe(before);
    expect(await site.sql('web3', 'SELECT COUNT(*) FROM shop.item')).toBe('2');
  });

  it('begin no second cluster: an emptied member of which nobody else answers is not started', async () => {
    const before = await site.cluster('web3');
    // web2 is emptied and cut off from the others, and the controller does not reach these.
    await site.hosts.shell('web2', 'systemctl stop mariadb; find /var/lib/mysql -mindepth 1 -delete');
    const others = [site.hosts.address('web1'), site.hosts.address('web3')];
    const cut = (verb: string): string =>
      others
        .map(
          (from) =>
            `iptables -w -${verb} INPUT -s ${from} -j DROP; iptables -w -${verb} OUTPUT -d ${from} -j DROP`,
        )
        .join('; ');
    await site.hosts.shell('web2', `apt-get -qq install -y iptables >/dev/null 2>&1; ${cut('I')}`);
    const alone = await site.hostwright('apply', '--yes', '--limit', 'web2');
    expect(alone.code).toBe(1);
    expect(alone.stdout).toContain('a cluster cannot be begun');
    expect(alone.stdout).toMatch(/web3: did not answer/);
    const together = await site.hostwright('apply', '--yes');
    expect(together.code).toBe(1);
    expect(await site.hosts.shell('web2', 'systemctl is-active mariadb || :')).not.toMatch(/^active/);
    await site.hosts.shell('web2', cut('D'));
    await site.applied();
    await site.isWhole();
    expect(await site.cluster('web2')).toBe(before);
  });

  it('refuse to begin one while the arbitrator holds it without data, and say the cure', async () => {
    const before = await site.cluster('web2');
    await site.hosts.shell('web3', 'systemctl stop mariadb');
    await site.hosts.shell('web2', 'systemctl stop mariadb');
    const refused = await site.hostwright('apply', '--yes');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('systemctl stop garb');
    await site.hosts.shell('web1', 'systemctl stop garb');
    await site.applied();
    await site.isWhole();
    expect(await site.cluster('web2')).toBe(before);
    expect(await site.sql('web3', 'SELECT COUNT(*) FROM shop.item')).toBe('2');
  });

  it('come back by themselves after a loss of power of all', async () => {
    const before = await site.cluster('web2');
    const settings = labSettings(site.hosts.environment);
    await Promise.all(['web1', 'web2', 'web3'].map((host) => stopHost(settings, host)));
    const up = await site.hosts.hostwright('lab', 'up', '--hosts', '3');
    expect(up.code, up.stderr).toBe(0);
    await site.isWhole();
    expect(await site.cluster('web2')).toBe(before);
    const plan = await site.hostwright('plan');
    expect(plan.code, plan.stdout).toBe(0);
  });
});
