import { afterAll, beforeAll, expect, it } from 'vitest';
import { checksums, countingWriter, lost, type CountingWriter } from '../lab/counting-writer.ts';
import { counter } from '../lab/database-project.ts';
import type { Finished } from '../lab/hosts.ts';
import { groupSite, members, type GroupSite, type Member } from './group-site.ts';
import { seed } from './moment.ts';
import { cutLink, cutOff } from './network-cut.ts';
import { oneOf, randomOutages, type RandomEvent } from './random-outages.ts';

const count = Number(process.env['HOSTWRIGHT_OUTAGES'] ?? 50);
const seconds = [1, 2, 4, 8, 13, 30];

let site: GroupSite;
let writer: CountingWriter;

function succeeded(finished: Finished): void {
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
}

const applied = async (): Promise<void> => {
  succeeded(await site.hostwright('apply', '--yes', '--no-diff'));
};

/** All but one. */
const others = (host: Member): readonly Member[] => members.filter((one) => one !== host);

/** A host, another one, a time and directions, each at random. */
function chosen(number: number) {
  const host = oneOf(members, number);
  return {
    host,
    other: oneOf(others(host), Math.floor(number / 3)),
    time: oneOf(seconds, Math.floor(number / 6)),
    ways: oneOf([['in'], ['out'], ['in', 'out']] as const, Math.floor(number / 36)),
  };
}

/** What a person or another run must wait for ends by itself. */
async function atLast(verb: string, ...words: readonly string[]): Promise<void> {
  const run = async () => (await site.hostwright(verb, ...words)).code;
  await expect.poll(run, { timeout: 240_000, interval: 2000 }).toBe(0);
}

const events: readonly RandomEvent[] = [
  {
    what: 'a server is killed',
    happens: async (number) => {
      const { host } = chosen(number);
      await site.hosts.shell(host, 'systemctl kill --signal KILL mysql');
      return host;
    },
  },
  {
    what: 'a server is stopped and started',
    happens: async (number) => {
      const { host, time } = chosen(number);
      await site.hosts.shell(host, `systemctl stop mysql; sleep ${time}; systemctl start mysql`);
      return `${host}, for ${time} s`;
    },
  },
  {
    what: 'two servers are killed',
    happens: async (number) => {
      const both = others(chosen(number).host);
      await Promise.all(both.map((host) => site.hosts.shell(host, 'systemctl kill --signal KILL mysql')));
      return both.join(' and ');
    },
  },
  {
    what: 'a host loses its power and gets it back',
    happens: async (number) => {
      const { host } = chosen(number);
      await site.hosts.losePower(host);
      await site.hosts.powerIsBack();
      return host;
    },
  },
  {
    what: 'all lose their power and get it back',
    happens: async () => {
      await Promise.all(members.map(site.hosts.losePower));
      await site.hosts.powerIsBack();
      return members.join(', ');
    },
  },
  {
    what: 'the link between two is cut',
    happens: async (number) => {
      const { host, other, time, ways } = chosen(number);
      await site.hosts.shell(host, cutLink(site.hosts.address(other), time, ways));
      return `${ways.join(' and ')} at ${host}, to ${other}, for ${time} s`;
    },
  },
  {
    what: 'the network of a host is cut',
    happens: async (number) => {
      const { host, time } = chosen(number);
      await site.hosts.shell(host, cutOff(time));
      return `${host}, for ${time} s`;
    },
  },
  {
    what: 'another one is promoted',
    happens: async (number) => {
      const { host } = chosen(number);
      await atLast('do', 'mysql', 'promote', host, '--yes');
      return host;
    },
  },
  {
    what: 'the controller is killed in a promotion, which is done again',
    happens: async (number) => {
      const { host } = chosen(number);
      const after = 500 + (number % 6000);
      await site.killed(after, 'do', 'mysql', 'promote', host, '--yes');
      await atLast('do', 'mysql', 'promote', host, '--yes');
      return `${host}, after ${after} ms`;
    },
  },
  {
    what: 'the controller is killed in an apply',
    happens: async (number) => {
      const after = 500 + (number % 20_000);
      await site.killed(
        after,
        'apply',
        '--yes',
        '--no-diff',
        '-e',
        `mysql_max_connections=${150 + (number % 50)}`,
      );
      await atLast('apply', '--yes', '--no-diff');
      return `after ${after} ms`;
    },
  },
];

beforeAll(async () => {
  console.log(`HOSTWRIGHT_SEED=${seed}`);
  site = await groupSite('randgroup', '10.213.114');
  writer = await countingWriter(site.hosts, counter, { pause: 0.05 });
});

afterAll(async () => {
  await site.down();
});

it(
  `a group of three loses no acknowledged write in ${count} kills and cuts, and all hold the same afterwards`,
  { timeout: 4 * 3_600_000 },
  async () => {
    const { hosts, judge } = site;
    await randomOutages(count, 3, {
      events,
      judge,
      heal: applied,
      writer,
      hosts,
      databases: members,
      patience: 90,
    });
    const counted = await writer.stop();
    await applied();
    succeeded(await site.hostwright('plan'));
    console.log(`${counted.acknowledged.length} rows, ${counted.again} found by a retry`);
    const all = () => Promise.all(members.map((host) => checksums(hosts, host, 'shop')));
    await expect.poll(async () => new Set(await all()).size, { timeout: 240_000, interval: 1000 }).toBe(1);
    const missing = await Promise.all(members.map((host) => lost(hosts, host, counted, 'shop.counted')));
    expect(missing).toEqual([[], [], []]);
  },
);
