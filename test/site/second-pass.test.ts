import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Inventory } from '../../src/inventory/model.ts';
import { directory } from '../../src/resources/directory.ts';
import { file, fileType } from '../../src/resources/file.ts';
import { line } from '../../src/resources/line.ts';
import { link } from '../../src/resources/link.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { unit } from '../../src/resources/service/unit.ts';
import { defineRole, type Facts } from '../../src/roles/role.ts';
import { collectDeclarations, siteHosts } from '../../src/site/first-pass.ts';
import type { SiteModel } from '../../src/site/model.ts';
import { hostResources } from '../../src/site/second-pass.ts';

const inventory: Inventory = {
  source: 'hosts.yml',
  hosts: new Map([['web1', { name: 'web1', groups: [], vars: {}, places: new Map(), file: 'hosts.yml' }]]),
  groups: new Map(),
};

const facts: Facts = {
  os: 'debian',
  codename: 'trixie',
  architecture: 'amd64',
  hostname: 'web1',
  kernel: '6.12',
  processors: 2,
  memory: 1024 ** 3,
  addresses: [],
  interface: 'eth0',
  ipv6: 'off',
};

/** The resources of web1 where each list comes from a role of its own: `one`, `two`. */
function declaredBy(...lists: readonly (readonly Resource[])[]) {
  const assigned = lists.map((resources, index) => ({
    role: defineRole({
      name: ['one', 'two'][index] ?? 'more',
      variables: z.object({}),
      resources: () => resources,
    }),
    folder: '/nowhere',
    play: 0,
    vars: {},
  }));
  const assignments = new Map([['web1', assigned]]);
  const model: SiteModel = {
    folder: '/',
    inventory,
    plays: [],
    assignments,
    site: collectDeclarations(inventory, assignments),
    hosts: siteHosts(inventory),
    template: () => '',
    originOf: () => undefined,
  };
  return hostResources(model, 'web1', facts);
}

test('two roles may declare the same resource in the same state, and what either needs counts', () => {
  const resources = declaredBy(
    [directory('/srv'), file('/srv/a', { content: 'a' })],
    [file('/srv/a', { content: 'a' }, { needs: ['directory:/srv'] })],
  );
  expect(resources.map(({ id, role, needs }) => [id, role, needs])).toEqual([
    ['directory:/srv', 'one', []],
    ['file:/srv/a', 'one', ['directory:/srv']],
  ]);
});

test('contents of bytes are compared as bytes', () => {
  const bytes = (last: number) => file('/a', { content: new Uint8Array([1, 2, last]) });
  expect(declaredBy([bytes(3)], [bytes(3)])).toHaveLength(1);
  expect(() => declaredBy([bytes(3)], [bytes(4)])).toThrow('declared in two different states');
});

test('different states of one resource are an error that names both roles', () => {
  expect(() => declaredBy([file('/a', { content: 'a' })], [file('/a', { content: 'b' })])).toThrow(
    expect.objectContaining({
      errors: [
        expect.objectContaining({ code: 'E_RESOURCE', found: 'two: this one; one: /nowhere/role.ts' }),
      ],
    }),
  );
});

test('a unit and a file of the same path are an error, a line of a file is none', () => {
  const path = '/etc/systemd/system/app.service';
  const app = unit('app.service', { content: '[Service]\n' });
  expect(() => declaredBy([app], [file(path, { content: 'a' })])).toThrow(
    expect.objectContaining({ message: `unit:app.service and file:${path} declare the same path` }),
  );
  expect(declaredBy([file('/etc/hosts', {})], [line('/etc/hosts', { line: 'a' })])).toHaveLength(2);
});

test('two types of one name are an error: their ids would be the same', () => {
  const own = { type: { ...fileType }, attributes: { path: '/b' } };
  expect(() => declaredBy([file('/a', {})], [own])).toThrow(
    expect.objectContaining({ code: 'E_RESOURCE', message: 'two resource types have the name file' }),
  );
});

test('one path as a file and a link is an error: each run would undo the other', () => {
  expect(() => declaredBy([file('/a', { content: 'a' })], [link('/a', { to: 'b' })])).toThrow(
    expect.objectContaining({ code: 'E_RESOURCE', message: 'file:/a and link:/a declare the same path' }),
  );
});

test('an attribute that the type does not have is an error with the role and the resource', () => {
  expect(() => declaredBy([{ type: fileType, attributes: { path: '/a', contents: 'a' } }])).toThrow(
    /unknown attribute contents of a file \(role one, host web1\)/,
  );
});
