import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changesOf } from '../lab/drift/seen.ts';
import { jsonLines, run, type Finished } from '../lab/hosts.ts';
import { balancers, balancersSite, otherThan, type Balancer, type BalancersSite } from './balancers-site.ts';
import { tooLate, visitors, type Protocol, type Seen } from './visitors.ts';

let site: BalancersSite;

function succeeded(finished: Finished): void {
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
}

const holder = async (): Promise<Balancer> => {
  const [first, ...more] = await site.holders();
  if (first === undefined || more.length > 0) throw new Error('the address is not on one balancer');
  return first;
};

const isHeldBy = (host: Balancer) =>
  expect.poll(site.holders, { timeout: 30_000, interval: 200 }).toEqual([host]);

/** HAProxy of each balancer sends visitors to both web servers. */
const isWhole = () =>
  expect
    .poll(
      async () => {
        const asks = `echo 'show stat' | socat -t5 - UNIX-CONNECT:/run/haproxy/admin.sock | grep -c '^web,web.*,UP,'`;
        return await Promise.all(balancers.map((host) => site.shell(host, asks).catch(String)));
      },
      { timeout: 120_000, interval: 500 },
    )
    .toEqual(['2\n', '2\n']);

interface Outage extends Seen {
  /** The balancer that had the address before. */
  readonly before: Balancer;
}

/** Visitors come while something happens to the balancer that has the address, and for two seconds after. */
async function outage(
  what: string,
  happens: (master: Balancer) => Promise<unknown>,
  protocol: Protocol = 'HTTP/1.1',
): Promise<Outage> {
  const before = await holder();
  const visiting = visitors(site.door, protocol);
  const more = async (): Promise<void> => {
    const until = visiting.answered() + 200;
    await expect.poll(visiting.answered, { timeout: 60_000, interval: 100 }).toBeGreaterThan(until);
  };
  let seen: Seen;
  try {
    await more();
    await happens(before);
    await more();
  } finally {
    seen = await visiting.stop();
  }
  const lostInAll = Object.values(seen.lost).reduce((sum, count) => sum + count, 0);
  const reasons = Object.entries(seen.lost).map(([reason, count]) => `${reason}: ${count}`);
  console.log(
    `${what}, ${protocol}: ${seen.gap.toFixed(0)} ms without a page, ${lostInAll} of ${seen.asked} lost (${reasons.join(', ')}), ${seen.slow} over 1 s; this machine up to ${seen.late.toFixed(0)} ms late`,
  );
  return { ...seen, before };
}

/** A machine that is busy is late; what a visitor loses otherwise, a balancer has lost. */
function broken({ lost }: Outage): Outage['lost'] {
  return Object.fromEntries(Object.entries(lost).filter(([reason]) => reason !== tooLate));
}

beforeAll(async () => {
  site = await balancersSite('float', '10.213.114');
});

afterAll(async () => {
  await site.down();
});

/** Has the other balancer leave and join. */
async function moveTo(host: Balancer): Promise<void> {
  if ((await holder()) === host) return;
  succeeded(await site.hostwright('do', 'haproxy', 'leave', otherThan(host), '--yes'));
  await isHeldBy(host);
  succeeded(await site.hostwright('do', 'haproxy', 'join', otherThan(host), '--yes'));
}

const serial = (host: Balancer) =>
  site.shell(host, 'openssl x509 -in /etc/haproxy/certs/site.pem -noout -serial');

/** Asks the CA for another certificate, which HAProxy then serves. */
async function renew(host: Balancer): Promise<void> {
  const before = await serial(host);
  await site.shell(host, '/usr/local/sbin/hostwright-certificate --force 2>&1');
  expect(await serial(host)).not.toBe(before);
  await site.shell(host, '/usr/local/sbin/hostwright-certificate check');
}

describe('two balancers with one address', () => {
  beforeEach(isWhole);

  it('are as planned, and one of them has it', async () => {
    succeeded(await site.hostwright('plan'));
    await isWhole();
    const master = await holder();
    for (const address of [site.hosts.address('web9'), site.addresses[1].replace(/[^:]+$/, '99')]) {
      const source = await site.shell(master, `ip -oneline route get ${address}`);
      expect(source).toContain(' src ');
      for (const shared of site.addresses) expect(source).not.toContain(`src ${shared} `);
    }
  });

  it('let VRRP in from each other and from nobody else', async () => {
    for (const host of balancers) {
      const rules = await site.shell(host, 'iptables -S ufw-user-input | grep -e "-p vrrp" -e "-p 112" || :');
      expect(rules.trim().split('\n')).toEqual([
        expect.stringMatching(new RegExp(`-s ${site.hosts.address(otherThan(host))}/32 .*-j ACCEPT`)),
      ]);
    }
  });

  it('stay where they are when HAProxy is killed, which is started again', async () => {
    const { before } = await outage('HAProxy killed (kill -9)', (master) =>
      site.shell(master, 'systemctl kill --signal KILL haproxy'),
    );
    await isHeldBy(before);
  });

  it('hand the address over when HAProxy is stopped', async () => {
    const { before } = await outage('HAProxy stopped', (master) =>
      site.shell(master, 'systemctl stop haproxy'),
    );
    await isHeldBy(otherThan(before));
    await site.shell(before, 'systemctl start haproxy');
  });

  it.each(['HTTP/1.1', 'HTTP/2'] as const)(
    'hand the address over when its host loses its power, and leave it there (%s)',
    async (protocol) => {
      const { before } = await outage('power of the host', site.losePower, protocol);
      const master = otherThan(before);
      await isHeldBy(master);
      const { transitions, powerIsBack } = site;
      const count = await transitions(master);
      const back = await outage('the host comes back', powerIsBack, protocol);
      await isWhole();
      expect(await transitions(master)).toBe(count);
      await isHeldBy(master);
      expect(broken(back)).toEqual({});
    },
  );

  it('hand the address over when a person says so', async () => {
    const { before } = await outage('planned leave', async (master) => {
      succeeded(await site.hostwright('do', 'haproxy', 'leave', master, '--yes'));
    });
    await isHeldBy(otherThan(before));
    // What monitoring asks for.
    await site.shell(before, 'systemctl is-active hostwright-balancer-left');
    const joined = await outage('join', async () => {
      succeeded(await site.hostwright('do', 'haproxy', 'join', before, '--yes'));
    });
    expect(broken(joined)).toEqual({});
    await isHeldBy(otherThan(before));
  });

  it('do not move it when apply changes and reloads both', async () => {
    const counts = () => Promise.all(balancers.map(site.transitions));
    const before = await counts();
    const edited = 'echo "# edited" >>/etc/keepalived/keepalived.conf';
    const { before: master } = await outage('HAProxy and keepalived of both reloaded by apply', async () => {
      for (const host of balancers) await site.shell(host, edited);
      await site.set({ haproxy_hsts_seconds: 3600 });
      succeeded(await site.hostwright('apply', '--yes', '--no-diff'));
    });
    expect(await counts()).toEqual(before);
    await isHeldBy(master);
  });

  it('do not both have it after keepalived was killed', async () => {
    await outage('keepalived killed (kill -9)', (master) =>
      site.shell(master, 'systemctl kill --signal KILL keepalived'),
    );
    await expect.poll(async () => (await site.holders()).length, { timeout: 30_000, interval: 200 }).toBe(1);
  });

  it('do not both have it after keepalived was killed and cannot start again', async () => {
    const { before } = await outage('keepalived killed, with a broken configuration', async (master) => {
      await site.shell(master, 'echo "vrrp_instance {" >>/etc/keepalived/keepalived.conf');
      await site.shell(master, 'systemctl kill --signal KILL keepalived');
    });
    await isHeldBy(otherThan(before));
    succeeded(await site.hostwright('apply', '--yes', '--no-diff'));
    succeeded(await site.hostwright('plan'));
    await isHeldBy(otherThan(before));
  });

  it('hand it over when the link is cut, and leave it there when that is back', async () => {
    const { before } = await outage('link cut', (master) => site.link(master, 'down'));
    const master = otherThan(before);
    await isHeldBy(master);
    const count = await site.transitions(master);
    await outage('link back', async () => {
      await site.link(before, 'up');
      await isWhole();
    });
    expect(await site.transitions(master)).toBe(count);
    await isHeldBy(master);
  });

  it.each(balancers)('get certificates, also at the same time, while %s has the address', async (host) => {
    await moveTo(host);
    await Promise.all(balancers.map(renew));
  });

  it.each(balancers)('renew the certificate while %s is away', async (away) => {
    await site.losePower(away);
    await isHeldBy(otherThan(away));
    await renew(otherThan(away));
    await site.powerIsBack();
    await isWhole();
  });
});

describe('balancers without a shared address', () => {
  it('lose keepalived and the address by the plan', async () => {
    await site.set({ balancer_address: [] });
    const plan = await site.hostwright('plan', '--json', '--no-diff');
    for (const host of balancers) {
      const own = changesOf(jsonLines(plan)).filter((change) => change.host === host);
      expect(own.map(({ resource, action }) => `${resource} ${action}`)).toEqual(
        expect.arrayContaining([
          'service:keepalived.service update',
          'file:/etc/keepalived/keepalived.conf delete',
          'user:keepalived_script delete',
        ]),
      );
    }
    succeeded(await site.hostwright('apply', '--yes', '--no-diff'));
    succeeded(await site.hostwright('plan'));
    expect(await site.holders()).toEqual([]);
    for (const host of balancers) {
      expect(await site.shell(host, 'pgrep keepalived || echo none')).toBe('none\n');
      expect(await site.shell(host, 'iptables -S ufw-user-input | grep -e vrrp -e 112 || echo none')).toBe(
        'none\n',
      );
    }
  });

  it('serve the site by several addresses in the DNS, and renew with one of them away', async () => {
    const { hosts, door, losePower, powerIsBack } = site;
    const addresses = balancers.map((host) => hosts.address(host));
    await site.named(addresses);
    await Promise.all(balancers.map(renew));
    await losePower('web1');
    const renewal = await hosts.ssh('web2', '/usr/local/sbin/hostwright-certificate --force 2>&1');
    console.log(`renewal with one of two addresses dead: ${renewal.code} ${renewal.stdout}`);
    const visit = await run('curl', [
      ...['--silent', '--show-error', '--cacert', site.rootFile, '--output', '/dev/null'],
      ...[
        '--resolve',
        `${door.domain}:443:${addresses.join(',')}`,
        '--write-out',
        '%{http_code} %{time_total}',
      ],
      `https://${door.domain}/`,
    ]);
    console.log(`a visit with the first address of the DNS dead: ${visit.stdout} s`);
    expect(visit.stdout).toMatch(/^200 /);
    await powerIsBack();
  });
});
