import { describe, expect, test } from 'vitest';
import {
  aptRepository,
  authorizedKey,
  command,
  line,
  Secret,
  service,
  sysctl,
  unit,
  user,
  group,
  type Resource,
} from '../../src/index.ts';
import { Unreadable, type Actual } from '../../src/resources/state.ts';
import { declaredPaths } from '../../src/testing/index.ts';
import { samples } from './samples.ts';

function parse(output: string, ...resources: readonly [Resource, ...Resource[]]): readonly Actual[] {
  const [{ type }] = resources;
  const batch = resources.map(({ attributes }) => type.schema.parse(attributes));
  return type.probe(batch).parse(Buffer.from(output));
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

// What getent and friends print on Debian 13.
const accounts = `p:root:x:0:0:root:/root:/bin/bash
p:anna:x:1000:1000:Anna,,,:/home/anna:/bin/bash
p:app:x:998:998::/nonexistent:/usr/sbin/nologin
a:root:0:/root
a:anna:1000:/home/anna
a:app:998:/nonexistent
s:root::20000:
s:anna:$6$salt$hash:20000:
s:app::20000:1
g:root:x:0:
g:adm:x:4:syslog,anna
g:sudo:x:27:annabel,anna
g:app:x:998:app
g:anna:x:1000:
-
d 700 0 /root
d 755 1000 /home/anna
d 700 1000 /home/anna/.ssh
f 600 1000 /home/anna/.ssh/authorized_keys
`;

describe('user', () => {
  test('reads accounts, groups, locks and home directories', () => {
    const found = parse(
      accounts,
      user('anna', { passwordHash: new Secret('$6$x$y') }),
      user('app'),
      user('gone'),
    );
    expect(found).toMatchObject([
      {
        uid: 1000,
        group: 'anna',
        groups: 'adm,sudo',
        comment: 'Anna,,,',
        homeDirectory: 'present',
        locked: false,
      },
      { uid: 998, group: 'app', groups: '', homeDirectory: 'missing', passwordHash: null, locked: true },
      null,
    ]);
    expect(JSON.stringify(found)).not.toContain('$6$');
  });

  test('counts the primary group as one of the groups only where it is declared', () => {
    expect(parse(accounts, user('app', { groups: ['app'] }))).toMatchObject([{ groups: 'app' }]);
  });

  test('does not take the expiry of somebody else for a lock', () => {
    const expiring = accounts.replace('s:app::20000:1', 's:app::20000:20000');
    expect(parse(expiring, user('app'))).toMatchObject([{ locked: 'expires 2024-10-04' }]);
  });
});

describe('group', () => {
  test('reads numbers', () => {
    expect(parse('web:x:4001:anna\n', group('web'), group('gone'))).toEqual([{ gid: 4001 }, null]);
  });
});

describe('line', () => {
  const port = line('/etc/x', { line: 'Port 2', match: '^Port' });
  test.each<readonly [string, Actual]>([
    ['none', null],
    ['0 ', null],
    ['2 ', { line: 'Port 2' }],
    [`0 ${base64('Port 1\nPort 3\n')}`, { line: 'Port 1\nPort 3' }],
    [`1 ${base64('Port 1\n')}`, { line: 'Port 1' }],
  ])('%j', (answer, expected) => {
    expect(parse(`${answer}\n`, port)).toEqual([expected]);
  });

  test('a bad expression makes one resource unreadable, not all', () => {
    const found = parse(`bad ${base64('grep: Unmatched (\n')}\n0 \n`, port, port);
    expect(found).toEqual([new Unreadable('grep: Unmatched ('), null]);
  });
});

describe('authorized_key', () => {
  const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB';
  const key = authorizedKey('anna', `ssh-ed25519 ${blob} anna@laptop`, { options: 'restrict' });
  test('reads options and comments, of several keys', () => {
    const answer = `\nrestrict,command="echo a b" ssh-ed25519 ${blob}   two words \nssh-ed25519 ${blob}\n\n`;
    expect(parse(answer, key, key)).toEqual([
      null,
      { options: 'restrict,command="echo a b" | ', comment: 'two words | ' },
    ]);
  });

  test('cannot be read from a file that nobody would write by hand', () => {
    expect(parse('large 1099511627776 /home/anna/.ssh/authorized_keys\n\n\n', key, key)).toEqual([
      new Unreadable(
        '/home/anna/.ssh/authorized_keys is too large: 1099511627776 bytes, at most 1048576 are read',
      ),
      null,
    ]);
  });

  test('is identified by its fingerprint', () => {
    const { type, attributes } = key;
    expect(type.key(type.schema.parse(attributes))).toMatch(/^anna SHA256:[\w+/]{43}$/);
  });
});

describe('sysctl', () => {
  const range = sysctl('net.ipv4.ip_local_port_range', { value: '1024 65535' });
  test.each<readonly [string, Actual]>([
    ['10\n/w/1\n1024\t65535\n', { value: '1024 65535', persisted: null }],
    ['01\n/w/1\nnet.ipv4.ip_local_port_range = 1024 65535\n', { value: null, persisted: '1024 65535' }],
    ['11\n/w/1\n1\n/w/1\n', { value: '1', persisted: '' }],
    ['11\n/w/1\n1\n/w/1\nno end', { value: '1', persisted: 'no end' }],
    ['00\n', { value: null, persisted: null }],
  ])('%j', (answer, expected) => {
    expect(parse(`\n/w/1 ${answer}`, range)).toEqual([expected]);
  });

  test.each<readonly [string, string]>([
    ['/etc/sysctl.d/99-a.conf:net.ipv4.ip_local_port_range = 1 2\n', '1024 65535'],
    ['/run/sysctl.d/zzz.conf:net/ipv4/ip_local_port_range=1 2\n', '1 2 (from /run/sysctl.d/zzz.conf)'],
    [
      '/usr/lib/sysctl.d/zzz.conf:  -net.ipv4.ip_local_port_range =1\t2 \n',
      '1 2 (from /usr/lib/sysctl.d/zzz.conf)',
    ],
    ['/etc/sysctl.d/zzz.conf:net.ipv4.ip_local_port_range = 1024 65535\n', '1024 65535'],
    [
      '/etc/sysctl.d/zzz.conf:net.ipv4.other = 1\n/usr/lib/sysctl.d/zzz.conf:net.ipv4.ip_local_port_range = 1\n',
      '1024 65535',
    ],
    [
      '/etc/ufw/sysctl.conf:net/ipv4/ip_local_port_range=3 4\n/etc/sysctl.d/zzz.conf:net.ipv4.ip_local_port_range=1\n',
      '3 4 (from /etc/ufw/sysctl.conf)',
    ],
  ])('after %j the next boot sets %s', (others, persisted) => {
    const own = 'net.ipv4.ip_local_port_range = 1024 65535\n';
    const all = `/etc/sysctl.d/zz-net.ipv4.ip_local_port_range.conf:${own}${others}`;
    const names = [...all.matchAll(/^[^:]+:/gm)].join('\n');
    expect(parse(`${names}\n${all}\n/w/1 01\n/w/1\n${own}`, range)).toEqual([{ value: null, persisted }]);
  });

  test.each(['11\n/w/1\n1', '1\n/w/1\n1\n', '01\n', '10\n/w/2\n1\n', '10\n/w/1\n1\n/w/1\n2\n'])(
    'cut off or with more than was asked for, %j is none',
    (answer) => {
      expect(() => parse(`\n/w/1 ${answer}`, range)).toThrow(RangeError);
    },
  );

  test.each([
    ['net.ipv4.ip_forward', 'net.ipv4.ip_forward'],
    ['net/ipv4/ip_forward', 'net.ipv4.ip_forward'],
    ['net/ipv4/conf/eth0.100/rp_filter', 'net.ipv4.conf.eth0/100.rp_filter'],
    ['net.ipv4.conf.eth0/100.rp_filter', 'net.ipv4.conf.eth0/100.rp_filter'],
  ])('%s is %s', (name, canonical) => {
    const { type, attributes } = sysctl(name, { value: 1 });
    const desired = type.schema.parse(attributes);
    expect(type.key(desired)).toBe(canonical);
    expect(type.probe([desired]).script.text).toContain(
      `/proc/sys/${canonical.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'))} `,
    );
  });
});

describe('command', () => {
  const guarded = command('x', { run: ['true'], unless: ['true'] });
  test('a guard that fails asks for a run, one that hangs or is not there for a person', () => {
    const [reached, unreached, hanging, missing, forbidden] = parse(
      '0\n1\n124\n127\n126\n',
      ...[guarded, guarded, guarded, guarded, guarded],
    );
    expect([reached, unreached]).toEqual([{ reached: true }, { reached: false }]);
    expect(hanging).toEqual(new Unreadable('its guard does not end within 20 seconds'));
    expect(missing).toMatchObject({ reason: expect.stringContaining('does not exist') as string });
    expect(forbidden).toMatchObject({ reason: expect.stringContaining('cannot be executed') as string });
  });
});

describe('service', () => {
  // systemctl 257 on Debian 13.
  const nginx = `Id=nginx.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
NeedDaemonReload=no
ExecMainStartTimestamp=Fri 2026-11-20 22:36:01.000200 UTC

Id=gone.service
LoadState=not-found
ActiveState=inactive


`;
  const unit = '/etc/systemd/system/nginx.service';
  const changed = `\0f\0${Date.UTC(2026, 10, 20, 22, 36, 1) / 1000}.0003000000\0/etc/systemd/system\0${unit}\0\0`;
  test('is due for a restart when its own unit has changed', () => {
    expect(parse(`${nginx}checked\n${changed}`, service('nginx'), service('gone'))).toMatchObject([
      { running: true, restart: `due: ${unit} changed` },
      null,
    ]);
    expect(parse(`${nginx}checked\n`, service('nginx'))).toMatchObject([
      { running: true, restart: 'not due' },
    ]);
    const { type, attributes } = service('nginx');
    expect(type.runtime?.triggers(type.schema.parse(attributes))[0]?.paths).toEqual([
      '/etc/systemd/system/nginx.service',
      '/etc/systemd/system/nginx.service.d',
      '/etc/systemd/system/service.d',
    ]);
  });

  test.each([
    ['app', ['app.service.d', 'service.d']],
    ['app@blue', ['app@.service', 'app@blue.service.d', 'app@.service.d', 'service.d']],
    ['a-b-c.timer', ['a-b-c.timer.d', 'a-.timer.d', 'a-b-.timer.d', 'timer.d']],
  ])('watches all that %s is made of', (name, expected) => {
    const { type, attributes } = service(name);
    const paths = type.runtime?.triggers(type.schema.parse(attributes))[0]?.paths.slice(1) ?? [];
    expect(paths).toEqual(expected.map((file) => `/etc/systemd/system/${file}`));
  });

  test.each([
    ['', { healthy: 'healthy', current: 'current' }],
    ['check 0 healthy 1\n', { healthy: 'its check ends with exit status 1' }],
    ['check 0 healthy none\n first words\n', { healthy: 'no answer within 5 s' }],
    ['check 0 healthy 2\n checked\n GET /: 503\n \n', { healthy: 'GET /: 503', current: 'current' }],
    [
      'check 0 healthy 1\n /run/hostwright/work.3TuB4p/4/checks: line 12: /dev/tcp/127.0.0.1/80: Connection refused\ncheck 0 current 1\n web1 is in MAINT\n',
      { healthy: '/dev/tcp/127.0.0.1/80: Connection refused', current: 'web1 is in MAINT' },
    ],
    [
      'stopped 0 71 my app\nstopped 0 72 sh\ncheck 0 healthy none\n',
      { healthy: 'process 71 (my app) is stopped, process 72 (sh) is stopped' },
    ],
    ['frozen 0\n', { healthy: 'frozen' }],
    ['check 1 healthy 1\n', { healthy: 'healthy' }],
  ])('reads how it does from %j', (found, expected) => {
    const checked = service('nginx', { healthy: ['true'], current: ['true'] });
    expect(parse(`${nginx}${found}checked\n`, checked)).toMatchObject([expected]);
  });

  test('an answer about its health that is cut off is none', () => {
    expect(() => parse(nginx, service('nginx'))).toThrow(RangeError);
    expect(() => parse(`${nginx}check 0 hea\nchecked\n`, service('nginx'))).toThrow(RangeError);
  });
});

describe('apt_repository', () => {
  const sid = aptRepository('sid', {
    uris: ['http://deb.debian.org/debian'],
    suites: ['sid', 'experimental'],
    signedBy: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n',
    checkValidUntil: false,
  });

  test('folds a key into its field', () => {
    const { type, attributes } = sid;
    expect(type.files?.text?.(type.schema.parse(attributes))).toBe(`Types: deb
URIs: http://deb.debian.org/debian
Suites: sid experimental
Components: main
Check-Valid-Until: no
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDME
 -----END PGP PUBLIC KEY BLOCK-----
`);
  });

  test('sees a priority that nobody declares', () => {
    const preferences = ['f', '644', 'root', '0', 'root', '0', '9', '', '/etc/apt/preferences.d/sid'].join(
      '\0',
    );
    expect(parse(`${preferences}\0${'0'.repeat(64)}  /etc/apt/preferences.d/sid\0`, sid)).toEqual([
      { pin: 'sha256:0000000000000000' },
    ]);
    expect(parse('', sid)).toEqual([null]);
  });
});

describe('unit', () => {
  test('sees a mask in its place', () => {
    const mask = [
      'l',
      '777',
      'root',
      '0',
      'root',
      '0',
      '9',
      '/dev/null',
      '/etc/systemd/system/app.service',
    ].join('\0');
    expect(parse(`${mask}\0`, unit('app.service', { content: '' }))).toMatchObject([{ kind: 'link' }]);
  });

  test('sees undeclared drop-ins, where no service tells of them', () => {
    const folder = '/etc/systemd/system/app.service.d';
    const found = ['a.conf', 'm.conf', 'notes'].map((name) => `\0f\0\0${folder}\0${folder}/${name}\0\0`);
    const output = Buffer.from(`${found.join('')}\n`);
    const own = unit('app.service', { content: '' });
    const dropIn = unit('app.service', { dropIn: 'm', content: '' });
    const desired = own.type.schema.parse(own.attributes);
    const overriddenBy = (...others: readonly Resource[]) =>
      own.type.probe([desired], declaredPaths([own, ...others])).also?.parse(output);
    expect(overriddenBy()).toMatchObject([{ overriddenBy: `${folder}/a.conf ${folder}/m.conf` }]);
    expect(overriddenBy(dropIn)).toMatchObject([{ overriddenBy: `${folder}/a.conf` }]);
    expect(overriddenBy(service('app'))).toMatchObject([{ overriddenBy: 'nothing' }]);
  });
});

describe('garbage', () => {
  const framed = [
    'group',
    'user',
    'line',
    'authorized_key',
    'sysctl',
    'command',
    'service',
    'hostname',
    'file',
  ];
  const types = new Map(samples.map((sample) => [sample.type.name, sample]));
  test.each(framed)('of a host that says something else is not taken for a state of a %s', (name) => {
    const sample = types.get(name);
    if (sample === undefined) throw new Error(`no sample of ${name}`);
    const garbage = name === 'hostname' ? '' : name === 'user' ? 'p:anna:x\n' : 'Permission denied';
    expect(() => parse(garbage, sample)).toThrow(RangeError);
  });
});
