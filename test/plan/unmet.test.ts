import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  command,
  directory,
  file,
  link,
  pkg,
  service,
  unit,
  user,
  group,
  type Resource,
} from '../../src/index.ts';
import { orderNodes } from '../../src/plan/graph.ts';
import { planHost } from '../../src/plan/plan.ts';
import { askFor, openRequirements, unmetErrors } from '../../src/plan/unmet.ts';
import type { Actual, ResourceId } from '../../src/resources/state.ts';
import { placed } from '../../src/testing/index.ts';

const sound = { healthy: 'healthy', current: 'current' };

/** What a plan says is missing, on this machine, where of the resources only those of `found` are there. */
function missing(
  declared: readonly Resource[],
  found: Readonly<Record<ResourceId, Actual>> = {},
): readonly string[] {
  const resources = declared.map((resource) => placed(resource));
  const states = new Map(Object.entries(found) as [ResourceId, Actual][]);
  const open = openRequirements(planHost('web1', resources, orderNodes('web1', resources), states));
  if (open.length === 0) return [];
  const output = execFileSync('sh', ['-eu', '-c', askFor(open).script.text]);
  return unmetErrors('web1', open, output).map(({ message }) => message);
}

const content = { content: 'x' };

describe('what a plan knows is not there', () => {
  it.each<[string, readonly Resource[], string]>([
    [
      'a directory',
      [file('/srv/nowhere/a', content)],
      'file:/srv/nowhere/a needs the directory /srv/nowhere, which does not exist',
    ],
    [
      'the directory of a link',
      [link('/srv/nowhere/a', { to: '/x' })],
      'link:/srv/nowhere/a needs the directory /srv/nowhere, which does not exist',
    ],
    [
      'an owner',
      [file('/etc/hw-a', { ...content, owner: 'nobdy' })],
      'file:/etc/hw-a needs the user nobdy, which does not exist',
    ],
    [
      'a group',
      [directory('/srv/hw-a', { group: 'nogrp' })],
      'directory:/srv/hw-a needs the group nogrp, which does not exist',
    ],
    [
      'a unit',
      [service('ngnix')],
      'service:ngnix.service needs the unit ngnix.service, which does not exist',
    ],
    [
      'a unit, beside another service',
      [service('ngnix'), service('haproxyy'), file('/etc/hw-a', content)],
      'service:haproxyy.service needs the unit haproxyy.service, which does not exist',
    ],
  ])('%s', (_what, declared, message) => {
    expect(missing(declared)).toContain(message);
  });

  it.each<[string, readonly Resource[]]>([
    ['what the host has', [file('/etc/hw-a', { ...content, owner: 'nobody', group: 'nogroup' })]],
    ['numbers', [file('/etc/hw-a', { ...content, owner: '4711', group: '4711' })]],
    ['a declared directory', [directory('/srv/hw/deep'), file('/srv/hw/a', content)]],
    ['a declared link', [link('/srv/hw', { to: '/tmp' }), file('/srv/hw/a', content)]],
    ['a declared user and its group', [user('hw'), directory('/srv/hw', { owner: 'hw', group: 'hw' })]],
    ['a declared group', [group('hw'), directory('/srv/hw', { group: 'hw' })]],
    ['a declared unit', [unit('hw.service', content), service('hw')]],
    ['a template of units', [file('/etc/systemd/system/hw@.service', content), service('hw@1')]],
    ['a mount, which fstab may bring', [service('srv.mount')]],
    ['a package that is to come', [pkg('nginx'), service('nginx'), file('/etc/nginx/a/b', content)]],
    ['a command that is to run', [command('make', { run: ['true'], creates: '/x' }), service('made')]],
    ['what is to be absent', [file('/srv/nowhere/a', { absent: true })]],
  ])('is not %s', (_what, declared) => {
    expect(missing(declared)).toEqual([]);
  });

  it('is asked only of what is to be made: a package that is there brings nothing', () => {
    const there = { 'package:nginx': { installed: true, held: false } };
    expect(missing([pkg('nginx'), service('ngnix')], there)).toHaveLength(1);
    const running = {
      running: true,
      enabled: true,
      unit: 'current',
      overriddenBy: 'nothing',
      restart: 'not due',
      reload: 'not due',
      ...sound,
    };
    expect(missing([pkg('nginx'), service('nginx')], { ...there, 'service:nginx.service': running })).toEqual(
      [],
    );
  });

  it('is not what a service brings that is only reloaded, or a package that goes', () => {
    const actual = { kind: 'file', owner: 'root', group: 'root', mode: '0644', content: 'sha256:1' };
    const due = {
      running: true,
      enabled: true,
      unit: 'current',
      overriddenBy: 'nothing',
      restart: 'not due',
      reload: 'due',
      ...sound,
    };
    const found: Readonly<Record<ResourceId, Actual>> = {
      'file:/etc/nginx/a': actual,
      'service:nginx.service': due,
      'package:apache2': { installed: true, held: false },
    };
    const declared = [
      file('/etc/nginx/a', { ...content, owner: 'nobdy' }),
      service('nginx', { reloadOn: ['/etc/nginx'] }),
      pkg('apache2', { absent: true }),
    ];
    expect(missing(declared, found)).toEqual([
      'file:/etc/nginx/a needs the user nobdy, which does not exist',
    ]);
  });

  it('names the owner of something that is there and changes hands', () => {
    const actual = { kind: 'directory', owner: 'root', group: 'root', mode: '0755' };
    expect(missing([directory('/srv/hw', { owner: 'nobdy' })], { 'directory:/srv/hw': actual })).toEqual([
      'directory:/srv/hw needs the user nobdy, which does not exist',
    ]);
  });
});
