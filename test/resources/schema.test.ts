import { describe, expect, test } from 'vitest';
import {
  appRelease,
  aptRepository,
  authorizedKey,
  command,
  file,
  gitRelease,
  hostname,
  line,
  pkg,
  Secret,
  service,
  sysctl,
  unit,
  user,
  group,
  type Resource,
} from '../../src/index.ts';
import { checkType, hostile } from '../../src/testing/index.ts';
import { samples } from './samples.ts';
import { resourceTypes } from './types.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB';
const repository = { uris: ['http://deb.debian.org/debian'], suites: ['sid'] };

function problems({ type, attributes }: Resource): string {
  const parsed = type.schema.safeParse(attributes);
  return parsed.success
    ? ''
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
}

describe('schemas', () => {
  test.each(resourceTypes.map((type) => [type.name, type] as const))(
    'of %s takes its samples, and no unknown attribute beside; their scripts are valid shell',
    async (_, type) => {
      await checkType(
        type,
        samples.filter((sample) => sample.type === type),
      );
    },
  );

  test.each<readonly [Resource, string]>([
    [file('etc/motd', {}), 'path: expected an absolute path'],
    [file('/etc/../motd', {}), 'path: expected an absolute path'],
    [file('/etc/motd', { mode: '0999' }), 'mode: expected three or four octal digits'],
    [file('/etc/motd', { owner: '4294967295' }), 'owner: expected a number up to 4294967294'],
    [line('/etc/hosts', {}), 'expected "line", or "match" with "absent"'],
    [line('/etc/hosts', { match: 'x' }), 'expected "line", or "match" with "absent"'],
    [line('/etc/hosts', { line: 'a\nb' }), 'line: '],
    [line('/etc/hosts', { line: new Secret('a\nb'), match: 'a' }), 'line: '],
    [line('/etc/hosts', { line: new Secret('a') }), 'match: a secret line needs "match"'],
    [line('/etc/hosts', { line: 'a', match: 'a\nb' }), 'match: expected a single line'],
    [pkg('nginx; reboot'), 'name: expected a Debian package name'],
    [pkg('-y'), 'name: expected a Debian package name'],
    [group('a:b'), 'name: expected a name'],
    [group('1000'), 'name: expected a name'],
    [group('web', { gid: -1 }), 'gid: '],
    [user(hostile), 'name: expected a name'],
    [user('anna', { groups: ['sudo,root'] }), 'groups.0: expected a name'],
    [user('anna', { comment: 'a:b' }), 'comment: expected no ":"'],
    [user('anna', { comment: 'a\nroot::0:0' }), 'comment: expected a single line'],
    [user('anna', { home: '/home/a:b' }), 'home: expected a path without ":"'],
    [user('anna', { shell: '/bin/sh\nx' }), 'shell: expected a path without ":"'],
    [user('anna', { passwordHash: new Secret('hunter2') }), 'passwordHash: expected a Secret with a hash'],
    [
      user('anna', { passwordHash: new Secret('$6$a$b\nroot:x') }),
      'passwordHash: expected a Secret with a hash',
    ],
    [authorizedKey('anna', 'hunter2'), 'key: expected a public key'],
    [authorizedKey('anna', `${key} a\nb`), 'key: expected a public key'],
    [authorizedKey('anna', '-----BEGIN OPENSSH PRIVATE KEY-----'), 'key: expected a public key'],
    [authorizedKey('anna', key, { options: 'command=echo x' }), 'options: expected options without space'],
    [authorizedKey('anna', key, { options: 'command="x' }), 'options: expected options without space'],
    [authorizedKey('anna', key, { options: '#' }), 'options: expected options without space'],
    [aptRepository('sid', { uris: ['http://x'] }), 'expected "uris" and "suites"'],
    [aptRepository('../sid', repository), 'name: expected a file name'],
    [aptRepository('sid', { ...repository, suites: ['sid\nTrusted: yes'] }), 'suites.0: expected one word'],
    [
      aptRepository('sid', { ...repository, pin: { release: 'n=sid\nx', priority: 1 } }),
      'pin.release: expected a single line',
    ],
    [aptRepository('sid', { ...repository, signedBy: 'key' }), 'signedBy: '],
    [unit('app', { content: '' }), 'name: expected the full name of a unit'],
    [unit('../app.service', { content: '' }), 'name: expected the full name of a unit'],
    [unit('app.service', {}), 'content: expected the text of the unit'],
    [unit('app.service', { content: '', dropIn: '../x' }), 'dropIn: expected the name of a drop-in'],
    [service('a b'), 'name: expected the name of a systemd unit'],
    [sysctl('net..ipv4', { value: 1 }), 'name: expected the name of a kernel parameter'],
    [sysctl('net/../../etc/x', { value: 1 }), 'name: expected the name of a kernel parameter'],
    [sysctl('net.ipv4.ip_forward', { value: '1\nkernel.x=1' }), 'value: '],
    [sysctl('net.ipv4.ip_forward', {}), 'value: expected a value'],
    [hostname('Web_1'), 'name: expected a host name'],
    [
      appRelease('/srv/x', gitRelease('https://example.org/a\0b.git', 'v1')),
      'release.url: expected the URL of a git repository',
    ],
    [command('x', { run: ['true'] }), 'expected one guard'],
    [command('x', { run: ['true'], unless: ['true'], creates: '/x' }), 'expected one guard'],
    [command('x', { run: ['a\0b'], creates: '/x' }), 'run.0: expected no NUL'],
  ])('refuse %j: %s', (resource, problem) => {
    expect(problems(resource)).toContain(problem);
    expect(problems(resource)).not.toContain('hunter2');
  });
});
