import { afterAll, beforeAll, expect, it } from 'vitest';
import { countingWriter, type CountingWriter } from '../lab/counting-writer.ts';
import { counter } from '../lab/database-project.ts';
import { databases, galeraSite, type GaleraSite } from '../lab/galera-cluster.ts';
import type { Finished } from '../lab/hosts.ts';
import { nothingIsLost } from './galera-counting.ts';
import { seed } from './moment.ts';
import { cutLink, cutOff, prepareCuts } from './network-cut.ts';
import { oneOf, randomOutages, type RandomEvent } from './random-outages.ts';

const count = Number(process.env['HOSTWRIGHT_OUTAGES'] ?? 50);
const seconds = [1, 2, 4, 8, 13];
const arbitrator = 'web1';

let site: GaleraSite;
let writer: CountingWriter;

function succeeded(finished: Finished): void {
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
}

const applied = async (...words: readonly string[]): Promise<void> => {
  succeeded(await site.hostwright('apply', '--yes', '--no-diff', ...words));
};

/** With all that a number chooses: a server, how long, and which ways of a link. */
const of = (number: number) => ({
  host: oneOf(databases, number),
  member: oneOf([arbitrator, ...databases], number),
  time: oneOf(seconds, Math.floor(number / 6)),
  way: oneOf([['in'], ['out'], ['in', 'out']] as const, Math.floor(number / 30)),
});

const unitOf = (member: string): string => (member === arbitrator ? 'garb' : 'mariadb');

const events: readonly RandomEvent[] = [
  {
    what: 'a member is killed',
    happens: async (number) => {
      const { member } = of(number);
      await site.hosts.shell(member, `systemctl kill --signal KILL ${unitOf(member)}`);
      return member;
    },
  },
  {
    what: 'a member is stopped and started',
    happens: async (number) => {
      const { member, time } = of(number);
      const unit = unitOf(member);
      await site.hosts.shell(member, `systemctl stop ${unit}; sleep ${time}; systemctl start ${unit}`);
      return `${member}, for ${time} s`;
    },
  },
  {
    what: 'the host of a server loses its power and gets it back',
    happens: async (number) => {
      const { host } = of(number);
      await site.hosts.losePower(host);
      await site.hosts.powerIsBack();
      return host;
    },
  },
  {
    what: 'all members lose their power and get it back',
    happens: async () => {
      // The rows are counted on the host of the arbitrator.
      await site.hosts.shell(arbitrator, 'systemctl kill --signal KILL garb');
      await Promise.all(databases.map(site.hosts.losePower));
      await site.hosts.powerIsBack();
      return 'all';
    },
  },
  {
    what: 'a link between two members is cut',
    happens: async (number) => {
      const { host, member, time, way } = of(number);
      const other = member === host ? oneOf(databases, number + 1) : member;
      await site.hosts.shell(host, cutLink(site.hosts.address(other), time, way));
      return `${host} and ${other}, ${way.join(' and ')}, for ${time} s`;
    },
  },
  {
    what: 'the network of a server is cut',
    happens: async (number) => {
      const { host, time } = of(number);
      await site.hosts.shell(host, cutOff(time));
      return `${host}, for ${time} s`;
    },
  },
  {
    what: 'a server is promoted',
    happens: async (number) => {
      const { host } = of(number);
      succeeded(await site.hostwright('do', 'mysql', 'promote', host, '--yes'));
      return host;
    },
  },
  {
    what: 'a server is emptied, and applied',
    happens: async (number) => {
      const { host } = of(number);
      await site.hosts.shell(host, 'systemctl stop mariadb; find /var/lib/mysql -mindepth 1 -delete');
      await applied();
      return host;
    },
  },
  {
    what: 'the controller is killed in an apply that restarts the servers, which is done again',
    happens: async (number) => {
      const after = 500 + (number % 20_000);
      const change = JSON.stringify({ mysql_settings: { back_log: 100 + (number % 100) } });
      await site.killed(after, 'apply', '--yes', '--no-diff', '-e', change);
      await expect
        .poll(async () => (await site.hostwright('apply', '--yes', '--no-diff')).code, {
          timeout: 300_000,
          interval: 2000,
        })
        .toBe(0);
      return `after ${after} ms`;
    },
  },
];

beforeAll(async () => {
  console.log(`HOSTWRIGHT_SEED=${seed}`);
  site = await galeraSite('galerarand', '10.213.121', { proxies: true });
  await site.applied();
  await prepareCuts(site.hosts, databases);
  writer = await countingWriter(site.hosts, counter, { pause: 0.2 });
});

afterAll(async () => {
  await site.down();
});

it(
  `two databases and an arbitrator lose no acknowledged write in ${count} kills and cuts, and hold the same afterwards`,
  { timeout: 3 * 3_600_000 },
  async () => {
    const { judge, hosts } = site;
    const heal = () => applied();
    await randomOutages(count, 3, { events, judge, heal, writer, hosts, databases, patience: 120 });
    const counted = await writer.stop();
    await applied();
    succeeded(await site.hostwright('plan'));
    console.log(`Galera: ${counted.acknowledged.length} rows, ${counted.again} found by a retry`);
    await nothingIsLost(site, counted);
  },
);
