import { expect, it } from 'vitest';
import { pkg, user, group, type Resource } from '../../src/index.ts';
import { refuseLockout } from '../../src/plan/lockout.ts';
import type { DeclaredResource } from '../../src/resources/resource.ts';

const login = { user: 'admin', address: '10.0.0.1', port: 22 };

function declared({ type, attributes }: Resource): DeclaredResource {
  const desired = type.schema.parse(attributes);
  return { id: `${type.name}:${type.key(desired)}`, type, desired, needs: [], role: 'base', play: 0 };
}

it.each([
  ['removed', user('admin', { absent: true })],
  ['locked', user('admin', { locked: true })],
  ['/bin/false', user('admin', { shell: '/bin/false' })],
  ['openssh-server', pkg('openssh-server', { absent: true })],
  ['sudo', pkg('sudo', { absent: true })],
])('refuses what would end the access of the user that logs in: %s', (why, resource) => {
  expect(() => refuseLockout('web1', [declared(resource)], login)).toThrow(why);
});

it('lets others go, and what does not shut anybody out', () => {
  const resources = [
    user('former', { absent: true }),
    user('admin', { shell: '/bin/sh', locked: false }),
    group('admin2', { absent: true }),
    pkg('sudo'),
  ].map(declared);
  refuseLockout('web1', resources, login);
  refuseLockout('web1', [declared(pkg('sudo', { absent: true }))], { ...login, user: 'root' });
  refuseLockout('web1', [declared(user('admin', { absent: true }))], undefined);
});
