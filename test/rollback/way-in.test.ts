import { expect, it } from 'vitest';
import { guardOf } from '../../src/rollback/way-in.ts';
import {
  authorizedKey,
  authorizedKeys,
  directory,
  file,
  line,
  permissions,
  user,
  group,
  type Resource,
} from '../../src/index.ts';
import type { Action, Change } from '../../src/resources/state.ts';

const login = { user: 'admin', home: '/home/admin', address: '10.0.0.1', port: 22 };
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1 a@b';

const undeclared = (from: string) => [{ name: 'undeclared', from, to: 'nothing' }];

function isGuarded(
  { type, attributes }: Resource,
  action: Action = 'update',
  differing: Change['attributes'] = [],
) {
  const desired = type.schema.parse(attributes);
  const id = `${type.name}:${type.key(desired)}` as const;
  const resource = { id, type, desired, needs: [], role: 'base', play: 0 };
  return guardOf({ id, resource, desired, action, actual: null, attributes: differing }, login) !== undefined;
}

it.each([
  ['sudoers', file('/etc/sudoers.d/x', { content: '' }), 'create'],
  ['a line of sudoers', line('/etc/sudoers', { line: 'x' }), 'update'],
  ['its keys as a file', file('/home/admin/.ssh/authorized_keys', { content: '' }), 'update'],
  ['one of its keys', authorizedKey('admin', key, { absent: true }), 'delete'],
  ['its home directory', directory('/home/admin', { mode: '0777' }), 'update'],
  ['what is above it', directory('/home', { mode: '0777' }), 'update'],
  ['its account', user('admin', { groups: [] }), 'update'],
  ['a group that goes', group('sudo', { absent: true }), 'delete'],
  ['a group that it has to leave', group('sudo', { exclusive: true }), 'update', undeclared('a, admin, b')],
  ['its keys that go', authorizedKeys('admin'), 'update'],
  ['who may use its home', permissions('/home', { mode: '0755' }), 'update'],
] as const)('guards %s', (_, resource, action, differing: Change['attributes'] = []) => {
  expect(isGuarded(resource, action, differing)).toBe(true);
});

it.each([
  ['a key that is new', authorizedKey('admin', key), 'create'],
  ['the key of another', authorizedKey('other', key, { absent: true }), 'delete'],
  ['another account', user('other', { shell: '/bin/sh' }), 'update'],
  ['a file in the home directory', file('/home/admin/notes', { content: '' }), 'update'],
  ['a group that others have to leave', group('sudo', { exclusive: true }), 'update'],
  ['the keys of another that go', authorizedKeys('other'), 'update'],
  ['who may use something else', permissions('/etc/shadow', { mode: '0640' }), 'update'],
  ['any other file', file('/etc/motd', { content: '' }), 'update'],
] as const)('does not guard %s', (_, resource, action) => {
  expect(isGuarded(resource, action)).toBe(false);
});

it('restores what an exclusive directory on the way in has lost, with all that it held', () => {
  const { type, attributes } = directory('/etc/sudoers.d', { exclusive: true });
  const desired = type.schema.parse(attributes);
  const id = 'directory:/etc/sudoers.d';
  const resource = { id, type, desired, needs: [], role: 'base', play: 0 } as const;
  const change = { id, resource, desired, action: 'update', actual: null } as const;
  expect(guardOf({ ...change, attributes: undeclared('zz') }, login)?.trees).toEqual(['/etc/sudoers.d']);
  expect(guardOf({ ...change, attributes: [] }, login)?.trees).toEqual([]);
});
