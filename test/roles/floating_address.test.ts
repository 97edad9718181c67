import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import floating from '../../roles/floating_address/role.ts';
import { listed } from '../../src/roles/list.ts';
import type { Declared, SiteHost } from '../../src/roles/role.ts';
import { Secret } from '../../src/secrets/secret.ts';
import {
  contextOf,
  hosts,
  ofType,
  placed,
  planOf,
  resourcesOf,
  statesOf,
  type RoleCase,
} from '../../src/testing/index.ts';

const both = ['203.0.113.10', '2001:db8::10'];

function declaring(
  addresses: readonly string[],
  balancers: readonly SiteHost[] = hosts,
): readonly Declared[] {
  return balancers.map((host) => ({ kind: 'floating_address', addresses, host, role: 'floating_address' }));
}

/** The lines of keepalived.conf, without white space around them. */
function configuration(given: RoleCase = {}): readonly string[] {
  const variables = { balancer_address: both, ...given.variables };
  const made = resourcesOf(floating, { declared: declaring(both), ...given, variables });
  const found = ofType(made, 'file').find(
    (file) => 'path' in file && file.path === '/etc/keepalived/keepalived.conf',
  );
  const content = found !== undefined && 'content' in found ? found.content : undefined;
  return String(content)
    .split('\n')
    .map((line) => line.trim());
}

/** What is between the braces of a block. */
function block(lines: readonly string[], name: string): readonly string[] {
  const start = lines.indexOf(`${name} {`);
  return start === -1 ? [] : lines.slice(start + 1, lines.indexOf('}', start));
}

function rules(declared: readonly Declared[], host = 'web1'): readonly unknown[] {
  const vars = floating.variables.parse({ balancer_address: both });
  return listed(floating.listens?.(contextOf(vars, { declared, host })) ?? []);
}

const why = 'which balancer has the address of the site';

describe('a host without balancer_address', () => {
  test('has nothing of it', () => {
    expect(resourcesOf(floating)).toEqual([]);
    const context = contextOf(floating.variables.parse({}));
    expect(floating.declares?.(context)).toEqual([]);
    expect(listed(floating.listens?.(context) ?? [])).toEqual([]);
  });
});

describe('a host whose balancer_address is gone', () => {
  const declaredOf = (given: RoleCase) =>
    resourcesOf(floating, given).map((resource) => {
      const { id, desired } = placed(resource);
      return [id, 'absent' in desired && desired.absent === true ? 'absent' : ''] as const;
    });
  const config = 'file:/etc/keepalived/keepalived.conf';

  test('loses what Hostwright has made, the mark that it has last', () => {
    const given = { applied: [config, 'package:keepalived'] } as const;
    expect(declaredOf(given)).toEqual([
      ['unit:keepalived.service.d/hostwright.conf', 'absent'],
      ['service:keepalived.service', ''],
      ['file:/usr/local/lib/hostwright/haproxy-answers', 'absent'],
      ['user:keepalived_script', 'absent'],
      [config, 'absent'],
    ]);
    const [service] = ofType(resourcesOf(floating, given), 'service');
    expect(service).toMatchObject({ name: 'keepalived', running: false, enabled: false });
    const others = declaredOf(given).slice(1, -1);
    expect(resourcesOf(floating, given).at(-1)?.needs).toEqual(others.map(([id]) => id));
  });

  test('stops keepalived before its files go, as the plan of such a host says', () => {
    const variables = { balancer_address: both, balancer_takeover: ['/usr/bin/true'] };
    const before = statesOf(resourcesOf(floating, { declared: declaring(both), variables }));
    const gone = resourcesOf(floating, { applied: [config, 'user:balancer-takeover'] });
    const ids: ReadonlySet<string> = new Set(gone.map((resource) => placed(resource).id));
    const found = Object.fromEntries(Object.entries(before).filter(([id]) => ids.has(id)));
    const changes = planOf(gone, found).map(({ id, action }) => `${action} ${id}`);
    expect(changes).toHaveLength(10);
    expect(changes.indexOf('update service:keepalived.service')).toBeLessThan(
      changes.indexOf('delete file:/usr/local/lib/hostwright/haproxy-answers'),
    );
    expect(changes.at(-1)).toBe(`delete ${config}`);
  });

  test('keeps a keepalived of somebody else', () => {
    expect(declaredOf({ applied: ['package:haproxy'] })).toEqual([]);
  });

  test('loses the command for a provider too, also where only that is gone', () => {
    const gone = [
      'unit:balancer-takeover.service',
      'unit:balancer-takeover.socket',
      'file:/usr/local/lib/hostwright/balancer-takeover',
      'file:/etc/hostwright/balancer-takeover.env',
      'user:balancer-takeover',
    ];
    const all = declaredOf({ applied: [config, 'user:balancer-takeover'] });
    expect(all.map(([id]) => id)).toEqual(expect.arrayContaining(gone));
    const given = { declared: declaring(both), variables: { balancer_address: both } };
    const some = declaredOf({ ...given, applied: [config, 'user:balancer-takeover'] });
    expect(some.flatMap(([id, state]) => (state === 'absent' ? [id] : []))).toEqual(gone);
    expect(declaredOf({ ...given, applied: [config] }).some(([, state]) => state === 'absent')).toBe(false);
  });
});

describe('keepalived', () => {
  test('of each balancer knows the others and no one else, the first in the inventory preferred', () => {
    const second = { host: 'web2', facts: { addresses: ['10.0.0.2'] } };
    expect(configuration()).toEqual(
      expect.arrayContaining(['priority 254', 'unicast_src_ip 10.0.0.1', 'interface eth0', 'nopreempt']),
    );
    const lines = configuration(second);
    expect(lines).toEqual(expect.arrayContaining(['priority 253', 'unicast_src_ip 10.0.0.2']));
    expect(block(lines, 'unicast_peer')).toEqual(
      ['10.0.0.1', '10.0.0.3'].map((peer) => `${peer} min_ttl 255 max_ttl 255`),
    );
    expect(lines).toContain('unicast_fault_no_peer');
  });

  test('has the address of the other family too', () => {
    const lines = configuration();
    expect(block(lines, 'virtual_ipaddress')).toEqual(['203.0.113.10/32 dev eth0 label eth0:lb']);
    expect(block(lines, 'virtual_ipaddress_excluded')).toEqual(['2001:db8::10/128 dev eth0']);
    const one = { declared: declaring(['203.0.113.10']), variables: { balancer_address: '203.0.113.10' } };
    expect(block(configuration(one), 'virtual_ipaddress')).toEqual([
      '203.0.113.10/32 dev eth0 label eth0:lb',
    ]);
    expect(configuration(one)).not.toContain('virtual_ipaddress_excluded {');
  });

  test('begins without the address, which one that was killed has left behind', () => {
    const variables = { balancer_address: both };
    const made = ofType(resourcesOf(floating, { declared: declaring(both), variables }), 'unit');
    const [unit] = made.flatMap((one) => ('content' in one ? [String(one.content)] : []));
    expect(unit?.match(/(?<=^ExecStartPre=-).*/gm)).toEqual([
      '/usr/sbin/ip address flush dev eth0 to 203.0.113.10/32',
      '/usr/sbin/ip address flush dev eth0 to 2001:db8::10/128',
    ]);
  });

  test('talks IPv6 between hosts of IPv6', () => {
    const six = hosts.map((host, index) => ({ ...host, address: `fd00::${index + 1}` }));
    const lines = configuration({
      hosts: six,
      declared: declaring(both, six),
      facts: { addresses: ['fd00::1'] },
    });
    expect(block(lines, 'virtual_ipaddress')).toEqual(['2001:db8::10/128 dev eth0']);
    expect(block(lines, 'unicast_peer')[0]).toBe('fd00::2 min_ttl 255 max_ttl 255');
    // Its default for IPv6 is 64, which the others would not take.
    expect(lines).toContain('unicast_ttl 255');
  });

  test('of a balancer that is alone has no peers, of which an empty list is an error', () => {
    const lines = configuration({ declared: declaring(both, hosts.slice(0, 1)) });
    expect(lines.filter((line) => line.includes('unicast'))).toEqual([]);
  });

  test('asks HAProxy every second where it takes no fractions', () => {
    expect(configuration()).toContain('interval 0.5');
    expect(configuration({ facts: { codename: 'bookworm' } })).toContain('interval 1');
  });

  test('uses the interface that is named', () => {
    const lines = configuration({ variables: { balancer_interface: 'wan0' } });
    expect(lines).toContain('interface wan0');
    const long = configuration({ variables: { balancer_interface: 'enx0123456789ab' } });
    expect(block(long, 'virtual_ipaddress')).toEqual(['203.0.113.10/32 dev enx0123456789ab']);
    expect(block(lines, 'virtual_ipaddress')).toEqual(['203.0.113.10/32 dev wan0 label wan0:lb']);
  });
});

describe('an address that somebody has added by hand', () => {
  const given = { declared: declaring(both), variables: { balancer_address: both } };
  const [service] = ofType(resourcesOf(floating, given), 'service');
  const [command = '', ...words] = service && 'healthy' in service ? (service.healthy as string[]) : [];
  /** What the check says where ip(8) says this of each address. */
  const check = (four: string, six: string): string => {
    const ip = `ip() { case $5 in *:*) echo '${six}' ;; *) echo '${four}' ;; esac; }`;
    const [option = '', script = '', ...rest] = words;
    return spawnSync(command, [option, `${ip}\n${script}`, ...rest], { encoding: 'utf8' }).stdout;
  };
  const own = String.raw`2: eth0    inet 203.0.113.10/32 scope global eth0:lb\       valid_lft forever`;
  const own6 = String.raw`2: eth0    inet6 2001:db8::10/128 scope global nodad deprecated \       valid_lft forever`;

  test('is told from one that keepalived has added', () => {
    expect([check('', ''), check(own, own6)]).toEqual(['', '']);
    const what = 'which somebody has added by hand\n';
    expect(check(own.replace('eth0:lb', 'eth0'), own6)).toBe(`has 203.0.113.10, ${what}`);
    expect(check('', own6.replace('deprecated', ''))).toBe(`has 2001:db8::10, ${what}`);
  });
});

describe('where addresses do not move by themselves', () => {
  const variables = {
    balancer_address: both,
    balancer_takeover: ['/usr/bin/hcloud', 'floating-ip', 'assign', 'site $1', '100%'],
    balancer_takeover_environment: { HCLOUD_TOKEN: new Secret('t0ken') },
  };
  const made = resourcesOf(floating, { declared: declaring(both), variables });

  test('the command of the user is told the first address, and keepalived tells it of each change', () => {
    const service = ofType(made, 'unit').find(
      (unit) => 'name' in unit && unit.name === 'balancer-takeover.service',
    );
    expect(service && 'content' in service ? service.content : '').toContain(
      'ExecStart="/usr/local/lib/hostwright/balancer-takeover" "203.0.113.10" "/usr/bin/hcloud" "floating-ip" "assign" "site $$1" "100%%"\n',
    );
    expect(configuration({ variables })).toContain('vrrp_notify_fifo /run/balancer-takeover');
    expect(configuration()).not.toContain('vrrp_notify_fifo /run/balancer-takeover');
  });

  test('its token is a secret of root', () => {
    const file = ofType(made, 'file').find(
      (one) => 'path' in one && one.path === '/etc/hostwright/balancer-takeover.env',
    );
    expect(file).toMatchObject({ mode: '0600' });
    expect(file && 'content' in file && file.content instanceof Secret && file.content.reveal()).toBe(
      'HCLOUD_TOKEN="t0ken"\n',
    );
  });

  test('a program without a path is refused', () => {
    expect(floating.variables.safeParse({ ...variables, balancer_takeover: ['hcloud'] }).success).toBe(false);
  });
});

describe('the firewall', () => {
  test('lets VRRP in from each other balancer with the same address, and from nobody else', () => {
    const [first, second, third] = hosts;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no hosts');
    expect(rules(declaring(both))).toEqual(
      [second, third].map((host) => ({ protocol: 'vrrp', from: { address: host.address }, why })),
    );
    const elsewhere = [...declaring(both, [first, second]), ...declaring(['198.51.100.1'], [third])];
    expect(rules(elsewhere)).toEqual([{ protocol: 'vrrp', from: { address: '10.0.0.2' }, why }]);
    expect(rules(elsewhere, 'web3')).toEqual([]);
  });
});

describe('what cannot work is refused', () => {
  test('a balancer that is known by a name', () => {
    const named = hosts.map((host) => (host.name === 'web2' ? { ...host, address: 'web2.example' } : host));
    expect(() => rules(declaring(both, named))).toThrow(/web2 and web1 cannot tell each other/);
  });

  test('an address of IPv6 alone between hosts of IPv4', () => {
    const given = { declared: declaring(['2001:db8::10']), variables: { balancer_address: '2001:db8::10' } };
    expect(() => configuration(given)).toThrow(/another family than balancer_address/);
  });

  test('a host that does not carry the address of the inventory', () => {
    expect(() => configuration({ facts: { addresses: ['192.168.0.4'] } })).toThrow(/web1 does not carry/);
  });

  test.each([
    ['two addresses of one family', ['203.0.113.10', '203.0.113.11']],
    ['a network', '203.0.113.0/24'],
    ['a name', 'www.foobar.com'],
  ])('%s', (_, balancer_address) => {
    expect(floating.variables.safeParse({ balancer_address }).success).toBe(false);
  });
});
