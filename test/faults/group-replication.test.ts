import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checksums, countingWriter, lost, type Counted } from '../lab/counting-writer.ts';
import { counter } from '../lab/database-project.ts';
import type { Finished } from '../lab/hosts.ts';
import { groupSite, members, type GroupSite, type Member } from './group-site.ts';
import { cutOff } from './network-cut.ts';

let site: GroupSite;

function succeeded(finished: Finished): void {
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
}

const isWhole = () =>
  expect.poll(() => site.judge().catch(String), { timeout: 240_000, interval: 500 }).toBe(undefined);

async function areEqual(): Promise<void> {
  const all = () => Promise.all(members.map((host) => checksums(site.hosts, host, 'shop')));
  await expect.poll(async () => new Set(await all()).size, { timeout: 240_000, interval: 1000 }).toBe(1);
}

/** Writes through the proxy while it happens; then the group is whole, none has lost a row, and all are equal. */
async function outage(
  what: string,
  happens: (writer: Member) => Promise<unknown>,
  heal: () => Promise<void> = () => Promise.resolve(),
): Promise<Counted> {
  const { hosts } = site;
  const writing = await countingWriter(hosts, counter);
  const more = async (): Promise<void> => {
    const before = await writing.count();
    await expect.poll(writing.count, { timeout: 240_000, interval: 500 }).toBeGreaterThan(before + 50);
  };
  await more();
  const began = performance.now();
  await happens(await site.writing());
  await heal();
  await more();
  // A member that has missed much catches up when nobody else uses the machine.
  const counted = await writing.stop();
  await isWhole();
  const seconds = (performance.now() - began) / 1000;
  // A member applies what it has received a moment later.
  await areEqual();
  const missing = await Promise.all(members.map((host) => lost(hosts, host, counted, 'shop.counted')));
  console.log(
    `${what}: ${counted.acknowledged.length} rows, ${missing.flat().length} lost, ${counted.again} found by a retry, ${counted.outage.toFixed(1)} s without an acknowledgement, whole after ${seconds.toFixed(0)} s`,
  );
  expect(missing).toEqual([[], [], []]);
  return counted;
}

const other = (writer: Member): Member => (writer === 'web3' ? 'web4' : 'web3');

beforeAll(async () => {
  site = await groupSite('groupfault', '10.213.113');
});

afterAll(async () => {
  await site.down();
});

describe('a group of three databases', () => {
  it('is as planned', async () => {
    succeeded(await site.hostwright('plan'));
    await isWhole();
  });

  it('hands over the writes to a member that a person names', async () => {
    await outage('a planned switch', async (writer) => {
      succeeded(await site.hostwright('do', 'mysql', 'promote', other(writer), '--yes'));
      expect(await site.writing()).toBe(other(writer));
    });
    succeeded(await site.hostwright('plan'));
  });

  it('goes on when the server that takes the writes is killed, which comes back by itself', async () => {
    await outage('kill -9 of the writer', (writer) =>
      site.hosts.shell(writer, 'systemctl kill --signal KILL mysql'),
    );
  });

  it('goes on when the host that takes the writes loses its power, and takes it in again', async () => {
    const { losePower, powerIsBack } = site;
    await outage('power of the host of the writer', losePower, powerIsBack);
  });

  it('goes on when the server that takes the writes is cut off, which acknowledges nothing alone', async () => {
    const { hosts, sql, writing } = site;
    await sql(await writing(), 'CREATE TABLE IF NOT EXISTS shop.alone (id INT PRIMARY KEY)');
    let acknowledged: readonly string[] = [];
    await outage('network of the writer, for 40 s', async (writer) => {
      const alone = `: >/run/alone; ( sleep 2; n=0; while [ "$n" -lt 30 ]; do
  n=$((n + 1)); timeout 2 mysql --no-defaults -e "INSERT INTO shop.alone VALUES ($n)" 2>/dev/null && echo "alone $n" >>/run/alone
  sleep 0.5
done ) &
${cutOff(40)}
wait`;
      // The connection may not outlive the cut.
      await hosts.ssh(writer, alone);
      const said = await hosts.shell(writer, 'cat /run/alone');
      acknowledged = said.match(/(?<=alone )\d+/g) ?? [];
    });
    expect(acknowledged).toEqual([]);
    expect(await sql(await writing(), 'SELECT COUNT(*) FROM shop.alone')).toBe('0');
  });

  it('is begun again by one apply after a loss of power of all, and by none for one of them alone', async () => {
    const { hostwright, losePower, powerIsBack } = site;
    await outage(
      'power of all',
      () => Promise.all(members.map(losePower)),
      async () => {
        await powerIsBack();
        const alone = await hostwright('apply', '--yes', '--no-diff', '--limit', 'web3');
        expect(alone.code).toBe(1);
        expect(alone.stdout).toContain('a group cannot be begun');
        expect(alone.stdout).toMatch(/web2: did not answer/);
        succeeded(await hostwright('apply', '--yes', '--no-diff'));
      },
    );
    succeeded(await hostwright('plan'));
  });

  it('takes no member in that has transactions of its own, until a person gives them up', async () => {
    const { hostwright, sql, writing } = site;
    const host = other(await writing());
    await sql(
      host,
      'STOP GROUP_REPLICATION; SET GLOBAL super_read_only = OFF; CREATE TABLE shop.own (id INT PRIMARY KEY)',
    );
    const refused = await hostwright('apply', '--yes', '--no-diff');
    expect(refused.code).toBe(1);
    const [, own = ''] = /no changes were made: ([\da-f:,-]+)/.exec(refused.stdout) ?? [];
    expect(own).toMatch(/:\d+$/);
    succeeded(await hostwright('apply', '--yes', '--no-diff', '-e', `mysql_discard_transactions=${own}`));
    await isWhole();
    await areEqual();
    expect(await site.hosts.shell(host, 'cat /var/lib/hostwright/mysql-discarded/*.sql')).toContain(
      'shop.own',
    );
  });
});
