import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directory } from '../../src/resources/directory.ts';
import { file } from '../../src/resources/file.ts';
import { line } from '../../src/resources/line.ts';
import { link } from '../../src/resources/link.ts';
import { pkg } from '../../src/resources/apt/package.ts';
import { service } from '../../src/resources/service/service.ts';
import { orderNodes } from '../../src/plan/graph.ts';
import type { DeclaredResource } from '../../src/resources/resource.ts';
import { placed } from '../../src/testing/index.ts';

function order(resources: readonly DeclaredResource[]): readonly string[] {
  return orderNodes('web1', resources).flatMap((node) => node.members.map((member) => member.id));
}

describe('orderNodes', () => {
  it('puts packages first, then files below their directories, services last, in whatever order they are declared', () => {
    const resources = [
      placed(service('app')),
      placed(file('/srv/app/etc/app.conf', { content: '' })),
      placed(directory('/srv/app/etc')),
      placed(directory('/srv/app')),
      placed(pkg('nodejs')),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(resources, { minLength: 5 }), (shuffled) => {
        const ids = order(shuffled);
        expect(ids[0]).toBe('package:nodejs');
        expect(ids.at(-1)).toBe('service:app.service');
        expect(ids.indexOf('directory:/srv/app')).toBeLessThan(ids.indexOf('directory:/srv/app/etc'));
        expect(ids.indexOf('directory:/srv/app/etc')).toBeLessThan(ids.indexOf('file:/srv/app/etc/app.conf'));
      }),
    );
  });

  it('lets a service wait for the files it reads, whichever role declares them', () => {
    const ids = order([
      placed(service('nginx', { reloadOn: ['/etc/nginx'] }), 'nginx'),
      placed(file('/etc/nginx/conf.d/limits.conf', { content: '' }), 'limits'),
    ]);
    expect(ids).toEqual(['file:/etc/nginx/conf.d/limits.conf', 'service:nginx.service']);
  });

  it('makes one unit of a service and the files that it validates, directories before what is in them', () => {
    const nodes = orderNodes('web1', [
      placed(file('/etc/nginx/a/app.conf', { content: '' })),
      placed(directory('/etc/nginx/a')),
      placed(file('/srv/index.html', { content: '' })),
      placed(service('nginx', { reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] })),
    ]);
    const unit = nodes.find(({ validatedBy }) => validatedBy !== undefined);
    expect(unit?.members.map(({ id }) => id)).toEqual([
      'directory:/etc/nginx/a',
      'file:/etc/nginx/a/app.conf',
      'service:nginx.service',
    ]);
    expect(unit?.after.flatMap(({ members }) => members.map(({ id }) => id))).toContain(
      'file:/srv/index.html',
    );
  });

  it('lets two services of one role validate trees of their own, and waits for what both may read', () => {
    const ids = order([
      placed(service('a', { reloadOn: ['/etc/a'], validate: ['a', '-t'] })),
      placed(service('b', { reloadOn: ['/etc/b'], validate: ['b', '-t'] })),
      placed(file('/etc/a/a.conf', { content: '' })),
      placed(file('/etc/b/b.conf', { content: '' })),
      placed(file('/etc/default/a', { content: '' })),
    ]);
    expect(ids.indexOf('file:/etc/default/a')).toBe(0);
    expect(ids.indexOf('file:/etc/a/a.conf')).toBe(ids.indexOf('service:a.service') - 1);
    expect(ids.indexOf('file:/etc/b/b.conf')).toBe(ids.indexOf('service:b.service') - 1);
  });

  it('lets a link that is itself what a service has read go live with it, but makes a directory beforehand', () => {
    const nodes = orderNodes('web1', [
      placed(directory('/srv/app/etc')),
      placed(link('/srv/app/current', { to: 'releases/1' })),
      placed(service('app', { restartOn: ['/srv/app/current', '/srv/app/etc'], validate: ['true'] })),
    ]);
    expect(nodes.map(({ members }) => members.map(({ id }) => id))).toEqual([
      ['directory:/srv/app/etc'],
      ['link:/srv/app/current', 'service:app.service'],
    ]);
  });

  it('lets a service of the same role come before the files that go live with another', () => {
    const ids = order([
      placed(link('/srv/app/current', { to: 'releases/1' })),
      placed(service('app.socket')),
      placed(
        service(
          'app',
          { restartOn: ['/srv/app/current'], validate: ['true'] },
          { needs: ['service:app.socket'] },
        ),
      ),
    ]);
    expect(ids).toEqual(['service:app.socket', 'link:/srv/app/current', 'service:app.service']);
  });

  it('respects what is needed outright, also against the order of the stages', () => {
    const ids = order([
      placed(file('/etc/apt/apt.conf.d/x', { content: '' }, { needs: ['service:db.service'] })),
      placed(service('db')),
    ]);
    expect(ids).toEqual(['service:db.service', 'file:/etc/apt/apt.conf.d/x']);
  });

  it('removes what is in a directory before the directory', () => {
    const ids = order([
      placed(directory('/srv/old', { absent: true })),
      placed(file('/srv/old/a', { absent: true })),
    ]);
    expect(ids).toEqual(['file:/srv/old/a', 'directory:/srv/old']);
  });

  it('lets each of two packages need a file of its own, though files come after packages', () => {
    const ids = order([
      placed(pkg('mysql-server', {}, { needs: ['file:/etc/apt/preferences.d/mysql'] })),
      placed(pkg('nodejs', {}, { needs: ['file:/etc/apt/preferences.d/nodejs'] })),
      placed(file('/etc/apt/preferences.d/mysql', { content: '' })),
      placed(file('/etc/apt/preferences.d/nodejs', { content: '' })),
    ]);
    for (const [before, after] of [
      ['file:/etc/apt/preferences.d/mysql', 'package:mysql-server'],
      ['file:/etc/apt/preferences.d/nodejs', 'package:nodejs'],
    ] as const)
      expect(ids.indexOf(before)).toBeLessThan(ids.indexOf(after));
  });

  it('lets what needs a validated file wait for the service that it goes live with', () => {
    const ids = order([
      placed(service('nginx', { reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] })),
      placed(file('/etc/nginx/app.conf', { content: '' })),
      placed(file('/srv/ready', { content: '' }, { needs: ['file:/etc/nginx/app.conf'] })),
    ]);
    expect(ids).toEqual(['file:/etc/nginx/app.conf', 'service:nginx.service', 'file:/srv/ready']);
  });

  it('takes files of later plays into the tree that a service validates', () => {
    const nodes = orderNodes('web1', [
      placed(service('nginx', { reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] }), 'nginx', 0),
      placed(file('/etc/nginx/status.conf', { content: '' }), 'status', 1),
    ]);
    expect(nodes.map(({ members }) => members.map(({ id }) => id))).toEqual([
      ['file:/etc/nginx/status.conf', 'service:nginx.service'],
    ]);
  });

  it('leaves a file of an earlier play out of the tree of a later service: others need it before', () => {
    const nodes = orderNodes('web1', [
      placed(file('/etc/pki/ca.crt', { content: '' }), 'pki', 0),
      placed(service('mysql', { restartOn: ['/etc/pki/ca.crt'], validate: ['mysqld', '-t'] }), 'mysql', 1),
    ]);
    expect(nodes.map(({ members }) => members.map(({ id }) => id))).toEqual([
      ['file:/etc/pki/ca.crt'],
      ['service:mysql.service'],
    ]);
  });

  it('makes beforehand the directory of what cannot be tried in a copy', () => {
    const ids = order([
      placed(service('nginx', { reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] })),
      placed(line('/etc/nginx/conf.d/a.conf', { line: 'gzip on;' })),
      placed(directory('/etc/nginx/conf.d')),
      placed(file('/etc/nginx/conf.d/b.conf', { content: '' })),
    ]);
    expect(ids).toEqual([
      'directory:/etc/nginx/conf.d',
      'line:/etc/nginx/conf.d/a.conf gzip on;',
      'file:/etc/nginx/conf.d/b.conf',
      'service:nginx.service',
    ]);
  });

  it('names the circle of a file that needs the service which reads it', () => {
    for (const validate of [{}, { validate: ['nginx', '-t'] as [string, string] }]) {
      const resources = [
        placed(service('nginx', { reloadOn: ['/etc/nginx'], ...validate })),
        placed(file('/etc/nginx/app.conf', { content: '' }, { needs: ['service:nginx.service'] })),
      ];
      expect(() => order(resources)).toThrow(
        expect.objectContaining({
          code: 'E_RESOURCE',
          message: expect.stringContaining(
            'service:nginx.service → file:/etc/nginx/app.conf → service:nginx.service',
          ),
        }),
      );
    }
  });

  it('names a circle inside a validated tree', () => {
    const resources = [
      placed(service('nginx', { reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] })),
      placed(file('/etc/nginx/a', { content: '' }, { needs: ['file:/etc/nginx/b'] })),
      placed(file('/etc/nginx/b', { content: '' }, { needs: ['file:/etc/nginx/a'] })),
    ];
    expect(() => order(resources)).toThrow(
      /file:\/etc\/nginx\/a → file:\/etc\/nginx\/b → file:\/etc\/nginx\/a/,
    );
  });

  it('names a circle', () => {
    const resources = [
      placed(file('/a', { content: '' }, { needs: ['file:/b'] })),
      placed(file('/b', { content: '' }, { needs: ['file:/a'] })),
    ];
    expect(() => order(resources)).toThrow(/file:\/a → file:\/b → file:\/a/);
  });

  it('says who needs what nobody declares, and what may have been meant', () => {
    const resources = [
      placed(pkg('nginx-light')),
      placed(service('nginx', {}, { needs: ['package:nginx-ligth'] })),
    ];
    expect(() => order(resources)).toThrow(
      expect.objectContaining({ code: 'E_RESOURCE', hint: expect.stringContaining('package:nginx-light') }),
    );
  });
});
