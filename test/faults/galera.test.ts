import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countingWriter } from '../lab/counting-writer.ts';
import { counter } from '../lab/database-project.ts';
import { databases, galeraSite, type GaleraSite } from '../lab/galera-cluster.ts';
import { nothingIsLost, outage } from './galera-counting.ts';
import { galeraDamages } from './galera-damage.ts';
import { seenAndHealed } from './group-damage.ts';
import { cutOff, prepareCuts } from './network-cut.ts';

/** Proxies use the first one of the inventory, for as long as it takes writes. */
const [writer, other] = databases;

let site: GaleraSite;

const emptied = (host: string): Promise<string> =>
  site.hosts.shell(host, 'systemctl stop mariadb; find /var/lib/mysql -mindepth 1 -delete');

beforeAll(async () => {
  site = await galeraSite('galeraloss', '10.213.108', { proxies: true });
  await site.applied();
  await prepareCuts(site.hosts, databases);
});

afterAll(async () => {
  await site.down();
});

describe('two databases and an arbitrator, while rows are written through a proxy', () => {
  it.each([
    [other, writer],
    [writer, other],
  ])('hand over the writes to %s, which a person names', async (to, from) => {
    await outage(site, `a planned switch to ${to}`, async () => {
      const promoted = await site.hostwright('do', 'mysql', 'promote', to, '--yes');
      expect(promoted.code, promoted.stdout + promoted.stderr).toBe(0);
      // Connections through the former process of a proxy end within half a minute.
      const there = (host: string) =>
        site.sql(host, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'counter'");
      await expect.poll(() => there(from), { timeout: 60_000 }).toBe('0');
      expect(await there(to)).not.toBe('0');
    });
    // The copies are made by the one that does not take the writes.
    const timers = (host: string) =>
      site.hosts.shell(
        host,
        "systemctl list-timers --plain --no-legend 'hostwright-backup*' | awk '{ print $(NF - 1) }'",
      );
    expect((await timers(to)).trim()).toBe('hostwright-backup-logs.timer');
    expect((await timers(from)).trim().split('\n')).toHaveLength(3);
    const plan = await site.hostwright('plan');
    expect(plan.code, plan.stdout).toBe(0);
  });

  it('go on when the server that takes the writes is killed, which comes back by itself', async () => {
    await outage(site, 'kill -9 of the writer', () =>
      site.hosts.shell(writer, 'systemctl kill --signal KILL mariadb'),
    );
  });

  it('go on when the host that takes the writes loses its power, and take it in again', async () => {
    const { losePower, powerIsBack } = site.hosts;
    await outage(site, 'power of the host of the writer', () => losePower(writer), powerIsBack);
  });

  it('go on when the server that takes the writes is cut off, which acknowledges nothing alone', async () => {
    const { hosts, sql } = site;
    await sql(writer, 'CREATE TABLE shop.alone (id INT PRIMARY KEY)');
    await outage(site, 'network of the writer, for 40 s', () =>
      // The connection may not outlive the cut.
      hosts.ssh(
        writer,
        `: >/run/alone; ( sleep 2; n=0; while [ "$n" -lt 30 ]; do
  n=$((n + 1)); timeout 2 mariadb -e "INSERT INTO shop.alone VALUES ($n)" 2>/dev/null && echo "alone $n" >>/run/alone
  sleep 0.5
done ) &
${cutOff(40)}
wait`,
      ),
    );
    expect(await hosts.shell(writer, 'cat /run/alone')).toBe('');
    expect(await sql(other, 'SELECT COUNT(*) FROM shop.alone')).toBe('0');
  });

  it.each([
    ['that takes no writes', other],
    ['that takes the writes', writer],
  ])('give all data again to a member %s and was emptied', async (what, host) => {
    const before = await site.cluster(host);
    await outage(site, `a copy for a member ${what}`, () => emptied(host), site.applied, 0);
    expect(await site.cluster(host)).toBe(before);
  });
});

describe('two databases and an arbitrator', () => {
  it('are copied while rows are written, and the copy is good; it is not restored in a cluster', async () => {
    const act = (...words: readonly string[]) => site.hostwright('do', 'backup', ...words);
    await outage(
      site,
      'a copy of all data',
      async () => {
        const made = await act('now', '--yes');
        expect(made.stdout + made.stderr).toContain(`stored ${other}/`);
      },
      undefined,
      0,
    );
    const tested = await act('restore-test', '--yes');
    expect(tested.stdout + tested.stderr).toContain('tables are equal');
    const refused = await act('restore', other, '--to', new Date().toISOString(), '--yes');
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain('is a member of a Galera cluster');
    await site.isWhole();
    expect((await site.hostwright('do', 'mysql', 'status')).stdout).toMatch(/web3 .* ok, /);
  });

  it('come back by themselves after a loss of power of all, with all that was acknowledged', async () => {
    const before = await site.cluster(writer);
    const writing = await countingWriter(site.hosts, counter);
    await expect.poll(writing.count, { timeout: 180_000, interval: 500 }).toBeGreaterThan(500);
    await Promise.all(['web1', ...databases].map(site.hosts.losePower));
    await site.hosts.powerIsBack();
    await site.isWhole();
    expect(await site.cluster(writer)).toBe(before);
    const counted = await writing.stop();
    expect(counted.acknowledged.length).toBeGreaterThan(500);
    await nothingIsLost(site, counted);
    const plan = await site.hostwright('plan');
    expect(plan.code, plan.stdout).toBe(0);
  });

  it('begin no second cluster: an emptied member of which nobody else answers is not started', async () => {
    const before = await site.cluster('web3');
    // web2 is emptied and cut off from the others, and the controller does not reach these.
    await emptied('web2');
    const others = [site.hosts.address('web1'), site.hosts.address('web3')];
    const cut = (verb: string): string =>
      others
        .map(
          (from) =>
            `iptables -w -${verb} INPUT -s ${from} -j DROP; iptables -w -${verb} OUTPUT -d ${from} -j DROP`,
        )
        .join('; ');
    await site.hosts.shell('web2', cut('I'));
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
    const held = await site.sql('web2', 'SELECT COUNT(*) FROM shop.counted');
    await site.hosts.shell('web3', 'systemctl stop mariadb');
    await site.hosts.shell('web2', 'systemctl stop mariadb');
    const refused = await site.hostwright('apply', '--yes');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('systemctl stop garb');
    await site.hosts.shell('web1', 'systemctl stop garb');
    await site.applied();
    await site.isWhole();
    expect(await site.cluster('web2')).toBe(before);
    expect(await site.sql('web3', 'SELECT COUNT(*) FROM shop.counted')).toBe(held);
  });
});

describe('two databases and an arbitrator that a person has changed', () => {
  it.each(galeraDamages.map((damages) => ({ names: damages.map(({ what }) => what).join(', '), damages })))(
    'are as declared again after one apply: $names',
    async ({ damages }) => {
      await seenAndHealed(site, damages);
      await site.isWhole();
    },
  );
});
