import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checksums, countingWriter, lost, type CountingWriter } from '../lab/counting-writer.ts';
import { counter } from '../lab/database-project.ts';
import type { Finished } from '../lab/hosts.ts';
import { seed } from './moment.ts';
import { cutLink, cutOff } from './network-cut.ts';
import { databases, otherThan, primaryReplicaSite, type PrimaryReplicaSite } from './primary-replica-site.ts';
import { oneOf, randomOutages, type RandomEvent } from './random-outages.ts';

const count = Number(process.env['HOSTWRIGHT_OUTAGES'] ?? 50);
const seconds = [1, 2, 4, 8, 13];

function succeeded(finished: Finished): void {
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
}

/** What one person does: who lets go of transactions of one server lets go of exactly those that are named. */
async function applied({ hostwright }: PrimaryReplicaSite): Promise<void> {
  const apply = await hostwright('apply', '--yes', '--no-diff');
  const [, own] = /lacks, so no changes were made: ([\da-f:,-]+)/.exec(apply.stdout + apply.stderr) ?? [];
  if (apply.code === 0 || own === undefined) {
    succeeded(apply);
    return;
  }
  console.log(`consent to discard ${own}`);
  succeeded(await hostwright('apply', '--yes', '--no-diff', '-e', `mysql_discard_transactions=${own}`));
}

async function writerOf({ writing }: PrimaryReplicaSite) {
  const host = await writing();
  if (host === undefined) throw new Error('no server takes writes');
  return host;
}

function eventsOf(site: PrimaryReplicaSite): readonly RandomEvent[] {
  const { hosts, hostwright } = site;
  const promote = (to: string, ...words: readonly string[]) =>
    hostwright('do', 'mysql', 'promote', to, '--yes', ...words);
  const of = (number: number) => ({
    host: oneOf(databases, number),
    time: oneOf(seconds, Math.floor(number / 2)),
    way: oneOf([['in'], ['out'], ['in', 'out']] as const, Math.floor(number / 10)),
  });
  return [
    {
      what: 'the server is killed',
      happens: async (number) => {
        const { host } = of(number);
        await hosts.shell(host, 'kill -9 "$(pidof mysqld)"');
        return host;
      },
    },
    {
      what: 'the server is stopped and started',
      happens: async (number) => {
        const { host, time } = of(number);
        await hosts.shell(host, `systemctl stop mysql; sleep ${time}; systemctl start mysql`);
        return `${host}, for ${time} s`;
      },
    },
    {
      what: 'the host loses its power and gets it back',
      happens: async (number) => {
        const { host } = of(number);
        await hosts.losePower(host);
        await hosts.powerIsBack();
        return host;
      },
    },
    {
      what: 'both lose their power and get it back',
      happens: async () => {
        await Promise.all(databases.map(hosts.losePower));
        await hosts.powerIsBack();
        return databases.join(' and ');
      },
    },
    {
      what: 'the link between the two is cut',
      happens: async (number) => {
        const { host, time, way } = of(number);
        await hosts.shell(host, cutLink(hosts.address(otherThan(host)), time, way));
        return `${way.join(' and ')} at ${host}, for ${time} s`;
      },
    },
    {
      what: 'the network of a host is cut',
      happens: async (number) => {
        const { host, time } = of(number);
        await hosts.shell(host, cutOff(time));
        return `${host}, for ${time} s`;
      },
    },
    {
      what: 'the other one is promoted',
      happens: async () => {
        const to = otherThan(await writerOf(site));
        succeeded(await promote(to));
        return to;
      },
    },
    {
      what: 'the controller is killed in a promotion, which is done again',
      happens: async (number) => {
        const to = otherThan(await writerOf(site));
        const after = 500 + (number % 6000);
        await site.killed(after, 'do', 'mysql', 'promote', to, '--yes');
        // What it had begun on a host is finished there, and holds the lock until then.
        await expect.poll(async () => (await promote(to)).code, { timeout: 120_000, interval: 2000 }).toBe(0);
        return `${to}, after ${after} ms`;
      },
    },
    {
      what: 'the controller is killed in an apply',
      happens: async (number) => {
        const after = 500 + (number % 10_000);
        const change = `mysql_max_connections=${150 + (number % 50)}`;
        await site.killed(after, 'apply', '--yes', '--no-diff', '-e', change);
        await expect
          .poll(async () => (await hostwright('apply', '--yes', '--no-diff')).code, {
            timeout: 180_000,
            interval: 2000,
          })
          .toBe(0);
        return `after ${after} ms`;
      },
    },
    {
      what: 'the primary loses its power, the other one is promoted, and power comes back',
      happens: async () => {
        const old = await writerOf(site);
        await hosts.losePower(old);
        succeeded(await promote(otherThan(old), '--yes-it-is-dead'));
        await hosts.powerIsBack();
        await expect
          .poll(() => site.sql(old, 'SELECT @@read_only').catch(() => ''), { timeout: 120_000 })
          .toBe('1');
        await applied(site);
        return old;
      },
    },
  ];
}

describe.each([
  ['fallback', '10.213.110', 1],
  ['strict', '10.213.111', 2],
] as const)('a primary and its replica, %s', (durability, subnet, salt) => {
  let site: PrimaryReplicaSite;
  let writer: CountingWriter;

  beforeAll(async () => {
    console.log(`HOSTWRIGHT_SEED=${seed}`);
    site = await primaryReplicaSite(`random${salt}`, subnet, durability);
    // A replica that has been away catches up only if it syncs its relay log faster than rows are written.
    writer = await countingWriter(site.hosts, counter, { pause: 0.2 });
  });

  afterAll(async () => {
    await site.down();
  });

  it(
    `lose no acknowledged write in ${count} kills and cuts, and hold the same afterwards`,
    { timeout: 3 * 3_600_000 },
    async () => {
      const { judge, hosts } = site;
      const events = eventsOf(site);
      const heal = () => applied(site);
      await randomOutages(count, salt, { events, judge, heal, writer, hosts, databases, patience: 60 });
      const counted = await writer.stop();
      succeeded(await site.hostwright('apply', '--yes', '--no-diff'));
      succeeded(await site.hostwright('plan'));
      console.log(`${durability}: ${counted.acknowledged.length} rows, ${counted.again} found by a retry`);
      for (const host of databases) {
        await expect
          .poll(() => lost(site.hosts, host, counted, 'shop.counted'), { timeout: 60_000, interval: 2000 })
          .toEqual([]);
      }
      const both = () => Promise.all(databases.map((host) => checksums(site.hosts, host, 'shop')));
      await expect.poll(async () => new Set(await both()).size, { timeout: 120_000, interval: 1000 }).toBe(1);
    },
  );
});
