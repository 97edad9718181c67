import { expect, it } from 'vitest';
import { guardOf } from '../../src/rollback/way-in.ts';
import { authorizedKey, directory, file, line, user, group, type Resource } from '../../src/index.ts';
import type { Action } from '../../src/resources/state.ts';

const login = { user: 'admin', home: '/home/admin', address: '10.0.0.1', port: 22 };
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1 a@b';

function isGuarded({ type, attributes }: Resource, action: Action = 'update') {
  const desired = type.schema.parse(attributes);
  const id = `${type.name}:${type.key(desired)}` as const;
  const resource = { id, type, desired, needs: [], role: 'base', play: 0 };
  return guardOf({ id, resource, desired, action, actual: null, attributes: [] }, login) !== undefined;
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
] as const)('guards %s', (_, resource, action) => {
  expect(isGuarded(resource, action)).toBe(true);
});

it.each([
  ['a key that is new', authorizedKey('admin', key), 'create'],
  ['the key of another', authorizedKey('other', key, { absent: true }), 'delete'],
  ['another account', user('other', { shell: '/bin/sh' }), 'update'],
  ['a file in the home directory', file('/home/admin/notes', { content: '' }), 'update'],
  ['any other file', file('/etc/motd', { content: '' }), 'update'],
] as const)('does not guard %s', (_, resource, action) => {
  expect(isGuarded(resource, action)).toBe(false);
});
