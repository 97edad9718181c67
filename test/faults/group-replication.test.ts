import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checksums, countingWriter, lost, type Counted } from '../lab/counting-writer.ts';
import { counter } from '../lab/database-project.ts';
import type { Finished } from '../lab/hosts.ts';
import { seenAndHealed } from './group-damage.ts';
import { groupReplicationDamages } from './group-replication-damage.ts';
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
  end: () => Promise<unknown> = isWhole,
  pause = 0,
): Promise<Counted> {
  const { hosts } = site;
  const writing = await countingWriter(hosts, counter, { pause });
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
  await end();
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

const staysDown = '/run/systemd/system/mysql.service.d/stays-down.conf';

/** Kills the server, and starts it again when that has been done to its files, as a crash of its machine might. */
const crashed = (damage: string): string => `mkdir -p "$(dirname ${staysDown})"
printf '[Service]\\nRestart=no\\n' >${staysDown}
systemctl daemon-reload
systemctl kill --signal KILL mysql
while systemctl is-active --quiet mysql; do sleep 0.1; done
${damage}
rm ${staysDown}
systemctl daemon-reload
systemctl start mysql`;

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
    const { losePower, powerIsBack } = site.hosts;
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

  it('takes in a member again of whose relay log a crash of its machine has left a part', async () => {
    await outage('relay log of another one', (writer) =>
      site.hosts.shell(
        other(writer),
        crashed(`cd /var/lib/mysql
log=$(ls relay-bin-group_replication_applier.0* | tail -n 1)
truncate -s $(($(stat -c %s "$log") - 41)) "$log"`),
      ),
    );
  });

  it('takes in a member again by one apply that cannot read what it has received', async () => {
    await outage(
      'damage in the relay log of another one',
      async (writer) => {
        const host = other(writer);
        // So much is received and not applied; a block of it is lost.
        const received = `( echo 'FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600);' | mysql --no-defaults >/dev/null 2>&1 ) &
until mysql --no-defaults -BNe 'SHOW PROCESSLIST' | grep -q 'User sleep'; do sleep 0.1; done
log=$(ls /var/lib/mysql/relay-bin-group_replication_applier.0* | tail -n 1)
position=$(stat -c %s "$log")
until [ "$(stat -c %s "$log")" -gt $((position + 40000)) ]; do sleep 0.1; done`;
        const damage = `dd if=/dev/zero of="$log" bs=1 seek=$((position + 20000)) count=4096 conv=notrunc status=none`;
        await site.hosts.shell(host, `${received}\n${crashed(damage)}`);
        const seen = async () => (await site.hostwright('plan')).stdout;
        await expect.poll(seen, { timeout: 120_000, interval: 2000 }).toContain('relayLog');
      },
      async () => succeeded(await site.hostwright('apply', '--yes', '--no-diff')),
    );
    succeeded(await site.hostwright('plan'));
  });

  it('is begun again by one apply after a loss of power of all, and by none for one of them alone', async () => {
    const { hostwright } = site;
    const { losePower, powerIsBack } = site.hosts;
    await outage(
      'power of all',
      () => Promise.all(members.map(losePower)),
      async () => {
        await powerIsBack();
        const alone = await hostwright('apply', '--yes', '--no-diff', '--limit', 'web3');
        expect(alone.code).toBe(1);
        expect(alone.stdout).toContain('a group cannot be begun');
        expect(alone.stdout).toMatch(/web2: did not answer/);
        const from = performance.now();
        succeeded(await hostwright('apply', '--yes', '--no-diff'));
        console.log(`the apply that begins it: ${((performance.now() - from) / 1000).toFixed(1)} s`);
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

describe('a group of three databases that a person has changed', () => {
  it.each(
    groupReplicationDamages.map((damages) => ({
      names: damages.map(({ what }) => what).join(', '),
      damages,
    })),
  )('is as declared again after one apply: $names', async ({ damages }) => {
    succeeded(await site.hostwright('do', 'mysql', 'promote', 'web2', '--yes'));
    await seenAndHealed(site, damages);
    await isWhole();
  });
});

/** `open` for the one that takes writes, and whom it follows. */
async function parts(): Promise<readonly string[]> {
  const query = `SELECT CONCAT_WS(' ', IF(@@read_only, 'closed', 'open'),
    (SELECT HOST FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = ''))`;
  return await Promise.all(members.map((host) => site.sql(host, query)));
}

/** Seconds between two rows of a connection: a replica syncs its relay log for each, and must keep up. */
const unhurried = 0.2;

describe('the same three servers', () => {
  const isPrimary = async (): Promise<void> => {
    const following = `closed ${site.hosts.address('web2')}`;
    await expect.poll(parts, { timeout: 60_000 }).toEqual(['open', following, following]);
  };

  it('become a primary and two replicas while rows are written, where the writer is the primary', async () => {
    // It is from now on mysql_primary.
    succeeded(await site.hostwright('do', 'mysql', 'promote', 'web2', '--yes'));
    await site.declare({ mysql_topology: 'primary_replica' });
    const refused = await site.hostwright('apply', '--yes', '--no-diff', '-e', 'mysql_primary=web3');
    expect(refused.code).toBe(4);
    expect(refused.stdout + refused.stderr).toContain('web2 takes the writes of the group');
    await isWhole();
    await outage('from group to primary_replica', site.becomes, undefined, isPrimary, unhurried);
  });

  it('stay as they are while a replica has what the primary lacks', async () => {
    await site.sql('web4', 'SET GLOBAL super_read_only = OFF; CREATE TABLE shop.other (id INT PRIMARY KEY)');
    await site.declare({});
    for (const limit of [[], ['--limit', 'web2,web3']]) {
      const refused = await site.hostwright('apply', '--yes', '--no-diff', ...limit);
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain('a group cannot be begun');
      await isPrimary();
    }
    const refused = await site.hostwright('apply', '--yes', '--no-diff');
    await isPrimary();
    const [, own = ''] = /1 that web2 lacks \(([\da-f:-]+)\)/.exec(refused.stdout) ?? [];
    await site.declare({ mysql_discard_transactions: own });
  });

  it('become a group again while rows are written, once that is given up', async () => {
    await outage('from primary_replica to group', site.becomes, undefined, isWhole, unhurried);
    expect(await site.sql('web4', 'SHOW TABLES FROM shop')).not.toContain('other');
    await site.declare({});
    succeeded(await site.hostwright('plan'));
  });
});
