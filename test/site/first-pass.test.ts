import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Host, Inventory } from '../../src/inventory/model.ts';
import { defineRole, hostGroup, type Role } from '../../src/roles/role.ts';
import { collectDeclarations } from '../../src/site/first-pass.ts';

const host = (name: string, address: string): [string, Host] => [
  name,
  { name, groups: ['web'], vars: { ansible_host: address }, places: new Map(), file: 'hosts.yml' },
];

const inventory: Inventory = {
  source: 'hosts.yml',
  hosts: new Map([host('web1', '10.0.0.1'), host('web2', '10.0.0.2')]),
  groups: new Map([['web', { name: 'web', children: [], hosts: ['web1', 'web2'], vars: {} }]]),
};

const assigned = (role: Role) => ({ role, folder: '/nowhere', play: 0, vars: {} });

/** It comes first in the site, so that what it reads is declared behind it. */
const watcher = defineRole({
  name: 'watcher',
  variables: z.object({}),
  derives: ({ host: own, site }) =>
    site
      .declared('metrics')
      .filter((metrics) => metrics.host.name === own.name)
      .map(() => ({ kind: 'scrape', port: 9113 })),
  listens: ({ host: own, site }) =>
    site
      .declared('scrape')
      .filter((scrape) => scrape.host.name === own.name)
      .map(() => ({ port: 9113, from: hostGroup('web'), why: 'metrics' })),
  resources: () => [],
});

const server = defineRole({
  name: 'server',
  variables: z.object({}),
  declares: () => [{ kind: 'metrics', of: 'nginx' }],
  resources: () => [],
});

test('what follows from a declaration of another role is declared and listened on, whichever role comes first', () => {
  const site = collectDeclarations(
    inventory,
    new Map([
      ['web1', [assigned(watcher), assigned(server)]],
      ['web2', [assigned(watcher)]],
    ]),
  );
  expect(site.declared('metrics')).toMatchObject([{ role: 'server', host: { name: 'web1' } }]);
  expect(site.declared('scrape')).toMatchObject([
    { role: 'watcher', port: 9113, host: { name: 'web1', address: '10.0.0.1' } },
  ]);
  expect(site.listens('web1')).toMatchObject([{ role: 'watcher', port: 9113 }]);
  expect(site.listens('web2')).toEqual([]);
});

test('a declaration keeps its own word "role", such as the part of a database in its replication', () => {
  const replica = defineRole({
    name: 'mysql',
    variables: z.object({}),
    declares: () => [{ kind: 'database', role: 'replica', port: 3306 }],
    resources: () => [],
  });
  const site = collectDeclarations(inventory, new Map([['web2', [assigned(replica)]]]));
  expect(site.declared('database')).toMatchObject([{ role: 'replica', host: { name: 'web2' } }]);
});
