import { describe, expect, test } from 'vitest';
import base from '../../roles/base/role.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const connection = { user: 'deploy', address: '10.0.0.9', port: 22 };
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB anna';

function made(variables: object = {}, given: RoleCase = {}): readonly Resource[] {
  return resourcesOf(base, { facts: { connection }, ...given, variables: { ...variables } });
}

function contentOf(resources: readonly Resource[], path: string): string {
  const file = ofType(resources, 'file').find((one) => 'path' in one && one.path === path);
  if (file === undefined || !('content' in file)) throw new Error(`no file ${path}`);
  return String(file.content);
}

function keysOf(resources: readonly Resource[], type: string): readonly string[] {
  return resources
    .filter((resource) => resource.type.name === type)
    .map(({ type, attributes }) => type.key(type.schema.parse(attributes)));
}

const sshd = '/etc/ssh/sshd_config.d/00-hostwright.conf';
const sudoers = '/etc/sudoers.d/zz-hostwright';

describe('the role base', () => {
  test('declares resources that their schemas take, each once', () => {
    const resources = made({ base_admins: [{ name: 'anna', keys: [key] }], base_former_admins: ['bob'] });
    const ids = resources.map(
      ({ type, attributes }) => `${type.name}:${type.key(type.schema.parse(attributes))}`,
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  describe('names', () => {
    test('every host knows itself and all others', () => {
      expect(ofType(made(), 'hostname')).toEqual([{ name: 'web1' }]);
      const text = contentOf(made({ base_hosts: { '10.0.0.99': ['registry', 'r'] } }), '/etc/hosts');
      expect(text).toMatch(/^127\.0\.0\.1 localhost$/m);
      expect(text).toMatch(/^::1 localhost /m);
      expect(text.split('\n').slice(-5)).toEqual([
        '10.0.0.1 web1',
        '10.0.0.2 web2',
        '10.0.0.3 web3',
        '10.0.0.99 registry r',
        '',
      ]);
    });

    test('a host that is only an address keeps its name', () => {
      const nameless = hosts.map((host) => (host.name === 'web1' ? { ...host, name: '10.0.0.1' } : host));
      const resources = made({}, { hosts: nameless, host: '10.0.0.1' });
      expect(ofType(resources, 'hostname')).toEqual([]);
      expect(contentOf(resources, '/etc/hosts')).not.toContain('10.0.0.1');
    });

    test('a full name has its short one behind it, and a host without an address a loopback one', () => {
      const named = hosts.map((host) => ({ ...host, name: `${host.name}.example.org`, address: host.name }));
      const resources = made({}, { hosts: named, host: 'web1.example.org' });
      expect(contentOf(resources, '/etc/hosts')).toMatch(/\n127\.0\.1\.1 web1\.example\.org web1\n$/);
    });
  });

  describe('admins', () => {
    const admins = [
      { name: 'anna', keys: [key], comment: 'Anna' },
      { name: 'ben', keys: [key], sudo: false },
    ];

    test('have their keys, and sudo unless it is said otherwise', () => {
      const resources = made({ base_admins: admins });
      expect(keysOf(resources, 'user')).toEqual(['root', 'anna', 'ben']);
      expect(ofType(resources, 'authorized_key')).toMatchObject([
        { user: 'anna', key },
        { user: 'ben', key },
      ]);
      expect(contentOf(resources, sudoers).split('\n').slice(1)).toEqual([
        'anna ALL=(ALL:ALL) NOPASSWD: ALL',
        '',
      ]);
      expect(ofType(resources, 'file')).toContainEqual(
        expect.objectContaining({
          path: sudoers,
          mode: '0440',
          validate: expect.arrayContaining(['deploy']),
        }),
      );
    });

    test('that left are removed, but not the one that Hostwright logs in as', () => {
      expect(ofType(made({ base_former_admins: ['eve'] }), 'user')).toContainEqual({
        name: 'eve',
        absent: true,
      });
      expect(() => made({ base_former_admins: ['deploy'] })).toThrow(
        expect.objectContaining({ code: 'E_VARIABLE', found: 'deploy' }),
      );
      expect(() => made({ base_admins: admins, base_former_admins: ['anna'] })).toThrow(
        'anna is in base_admins',
      );
    });

    test('are the only ones beside root, but for who may be', () => {
      expect(ofType(made({ base_root_accounts: ['toor'] }), 'user')).toContainEqual({
        name: 'root',
        uid: 0,
        sharesUid: ['toor'],
      });
    });

    test('need a key', () => {
      expect(() => made({ base_admins: [{ name: 'anna', keys: [] }] })).toThrow('at least one public key');
    });

    const closed = (variables: object, user = 'deploy'): readonly string[] =>
      keysOf(
        made({ base_admins: admins, ...variables }, { facts: { connection: { ...connection, user } } }),
        'authorized_keys',
      );

    test('have no other keys, and neither has root, unless it is said otherwise', () => {
      expect(closed({})).toEqual(['anna', 'ben', 'root']);
      expect(closed({ base_other_keys: ['ben', 'root'] })).toEqual(['anna']);
      const only = made({ base_admins: admins }).find(({ type }) => type.name === 'authorized_keys');
      expect(only?.needs).toEqual([expect.stringMatching(/^authorized_key:anna SHA256:/)]);
    });

    test('leave the keys alone by which Hostwright logs in as root, unless those are declared', () => {
      expect(closed({}, 'root')).toEqual(['anna', 'ben']);
      expect(closed({ base_root_keys: [key] }, 'root')).toEqual(['anna', 'ben', 'root']);
    });
  });

  describe('rights', () => {
    const keptIn = (name: string, variables: object, sudo: readonly string[] = []): unknown =>
      [
        ...ofType(
          made(variables, { facts: { connection: { ...connection, sudoers: sudo } } }),
          name.startsWith('/') ? 'directory' : 'group',
        ),
      ].find((one) => ('path' in one ? one.path : 'name' in one && one.name) === name);

    test('of groups that may become root are for admins with sudo, Hostwright and those who are named', () => {
      const variables = {
        base_admins: [
          { name: 'anna', keys: [key] },
          { name: 'ben', keys: [key], sudo: false },
        ],
        base_group_members: { adm: ['zabbix'] },
      };
      expect(keptIn('sudo', variables)).toMatchObject({ exclusive: true, keep: ['deploy', 'anna'] });
      expect(keptIn('adm', variables)).toMatchObject({ keep: ['deploy', 'anna', 'zabbix'] });
      expect(() => made({ base_group_members: { wheel: ['x'] } })).toThrow('base_group_members');
    });

    test('by files in sudoers.d stay where Hostwright owes its own to them', () => {
      expect(keptIn('/etc/sudoers.d', { base_keep: ['90-x'] }, ['admin', '*'])).toMatchObject({
        exclusive: true,
        keep: ['README', 'admin', '90-x'],
      });
    });
  });

  describe('sshd', () => {
    test('takes keys only', () => {
      const text = contentOf(made(), sshd);
      expect(text).toMatch(/^PasswordAuthentication no$/m);
      expect(text).toMatch(/^KbdInteractiveAuthentication no$/m);
      expect(text).toMatch(/^PermitRootLogin prohibit-password$/m);
      expect(text).not.toContain('AllowUsers');
    });

    test('lets in those who are asked for, the admins and Hostwright itself', () => {
      const text = contentOf(
        made({ base_ssh_users: ['bob'], base_admins: [{ name: 'anna', keys: [key] }] }),
        sshd,
      );
      expect(text).toMatch(/^AllowUsers bob anna deploy$/m);
    });

    test('reads no file of others that would win, and stays where it listens', () => {
      const folder = ofType(made({ base_keep: ['50-cloud-init.conf'] }), 'directory');
      expect(folder).toContainEqual({
        path: '/etc/ssh/sshd_config.d',
        exclusive: true,
        keep: ['50-cloud-init.conf'],
      });
      const main = (variables = {}, given: RoleCase = {}): string =>
        contentOf(made(variables, given), '/etc/ssh/sshd_config');
      expect(main()).toMatch(/^#.*\nInclude \/etc\/ssh\/sshd_config.d\/\*.conf\n/);
      expect(main()).not.toMatch(/^Port/m);
      const connection = { user: 'deploy', address: '10.0.0.9', port: 2222, path: 'x' };
      expect(main({}, { facts: { connection } })).toMatch(/^Port 2222$/m);
      const own = 'Port 2222\nPort 22\nMatch User bob\n  X11Forwarding yes\n';
      expect(main({ base_sshd_config: own }, { facts: { connection } }).split('\n').slice(-6)).toEqual([
        '# base_sshd_config',
        ...own.split('\n'),
      ]);
      expect(contentOf(made(), '/etc/default/ssh')).toMatch(/^SSHD_OPTS=$/m);
    });

    test('is checked as a whole before it is reloaded', () => {
      const service = ofType(made(), 'service').find((one) => 'name' in one && one.name === 'ssh');
      expect(service).toMatchObject({
        reloadOn: ['/etc/ssh'],
        validate: expect.arrayContaining([expect.stringContaining('sshd -t')]),
      });
    });

    test.each<readonly [string, object, RoleCase]>([
      [
        'root, as which it logs in',
        { base_ssh_root: 'no' },
        { facts: { connection: { ...connection, user: 'root' } } },
      ],
      ['all but some, not knowing who it is', { base_ssh_users: ['bob'] }, { facts: {} }],
      ['its own password', { ansible_password: 'x' }, {}],
      ['its own password by the old name', { ansible_ssh_pass: 'x' }, {}],
    ])('does not shut out %s', (_, variables, given) => {
      expect(() => made(variables, given)).toThrow(
        expect.objectContaining({ code: 'E_VARIABLE', place: { host: 'web1' } }),
      );
    });
  });

  test('a container has its clock and kernel from the host around it', () => {
    const timesyncd = (container: boolean) =>
      ofType(made({}, { facts: { connection, container } }), 'service').find(
        (one) => 'name' in one && one.name === 'systemd-timesyncd',
      );
    expect(timesyncd(true)).toMatchObject({ running: false });
    expect(timesyncd(false)).toMatchObject({ running: true });
    const sysctls = (container: boolean) => keysOf(made({}, { facts: { connection, container } }), 'sysctl');
    expect(sysctls(true).filter((name) => !name.startsWith('net.'))).toEqual([]);
    expect(sysctls(false)).toContain('kernel.dmesg_restrict');
  });

  test('kernel parameters of IPv6 are for hosts that have it, and variables win', () => {
    const of = (ipv6: 'none' | 'off' | 'on', base_sysctl: Readonly<Record<string, number>> = {}) =>
      ofType(made({ base_sysctl }, { facts: { ipv6 } }), 'sysctl');
    const refused = { name: 'net.ipv6.conf.all.accept_redirects', value: 0 };
    const used = { name: 'net.ipv6.conf.all.disable_ipv6', value: 0 };
    expect(of('none')).not.toContainEqual(refused);
    expect(of('off')).toContainEqual(refused);
    expect(of('off')).not.toContainEqual(used);
    expect(of('on')).toEqual(expect.arrayContaining([refused, used]));
    expect(of('on', { [used.name]: 1 })).toContainEqual({ ...used, value: 1 });
    expect(of('off', { 'net.core.somaxconn': 128 })).toContainEqual({
      name: 'net.core.somaxconn',
      value: 128,
    });
    expect(of('off', { 'vm.swappiness': 10 })).toContainEqual({ name: 'vm.swappiness', value: 10 });
  });

  test('upgrades come every day, and reboots only when a time is said', () => {
    const drop = '/etc/apt/apt.conf.d/52unattended-upgrades-hostwright';
    expect(contentOf(made(), '/etc/apt/apt.conf.d/20auto-upgrades')).toContain('Unattended-Upgrade "1"');
    expect(contentOf(made(), drop)).toContain('Automatic-Reboot "false"');
    expect(contentOf(made({ base_reboot: '04:30' }), drop)).toContain('Automatic-Reboot-Time "04:30"');
    const without = made({ base_upgrades: false });
    expect(contentOf(without, '/etc/apt/apt.conf.d/20auto-upgrades')).toContain('Unattended-Upgrade "0"');
    expect(() => made({ base_reboot: '25:00' })).toThrow('expected a time');
  });

  test('nothing uses apt before what apt reads is right, however damaged', () => {
    const users = made().filter(({ type }) => ['package', 'dpkg'].includes(type.name));
    expect(users.length).toBeGreaterThan(4);
    for (const { needs } of users) expect(needs).toContain('file:/etc/apt/apt.conf.d/99zz-hostwright');
  });

  test('no log grows for ever on a host that nobody looks at', () => {
    expect(keysOf(made(), 'package')).toContain('logrotate');
    expect(contentOf(made(), '/etc/systemd/journald.conf.d/hostwright.conf')).toMatch(/^SystemMaxUse=\d+M$/m);
  });

  test('the time servers and the limits of the journal are variables', () => {
    const resources = made({ base_ntp_servers: ['a', 'b'], base_journal_size: '2G', base_journal_days: 7 });
    expect(contentOf(resources, '/etc/systemd/timesyncd.conf.d/hostwright.conf')).toContain('NTP=a b\n');
    expect(contentOf(made(), '/etc/systemd/timesyncd.conf.d/hostwright.conf')).not.toContain('NTP=');
    const journal = contentOf(resources, '/etc/systemd/journald.conf.d/hostwright.conf');
    expect(journal).toContain('SystemMaxUse=2G\nMaxRetentionSec=7day\n');
  });
});
