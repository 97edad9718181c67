import { describe, expect, it } from 'vitest';
import { orderNodes } from '../../src/plan/graph.ts';
import { planHost } from '../../src/plan/plan.ts';
import { command } from '../../src/resources/command.ts';
import { directory } from '../../src/resources/directory.ts';
import { file } from '../../src/resources/file.ts';
import { line } from '../../src/resources/line.ts';
import { link } from '../../src/resources/link.ts';
import { pkg } from '../../src/resources/apt/package.ts';
import type { DeclaredResource } from '../../src/resources/resource.ts';
import { Unreadable, type Actual, type ResourceId } from '../../src/resources/state.ts';
import { service } from '../../src/resources/service/service.ts';
import { foreignText } from '../../src/resources/service/foreign.ts';
import { user } from '../../src/resources/user.ts';
import { asDeclared, placed } from '../../src/testing/index.ts';

const running = {
  running: true,
  enabled: true,
  overriddenBy: 'nothing',
  unit: 'current',
  restart: 'not due',
  reload: 'not due',
  healthy: 'healthy',
  current: 'current',
};

function plan(resources: readonly DeclaredResource[], found: Readonly<Record<ResourceId, Actual>>) {
  const states = new Map(Object.entries(found) as [ResourceId, Actual][]);
  const { changes } = planHost('web1', resources, orderNodes('web1', resources), states);
  return [...changes.values()].map(({ id, action, knownAfter, unreadable, isTriggered }) => ({
    id,
    action,
    ...(knownAfter === undefined ? {} : { knownAfter }),
    ...(unreadable === undefined ? {} : { unreadable }),
    ...(isTriggered === undefined ? {} : { isTriggered }),
  }));
}

const nginx = placed(service('nginx', { reloadOn: ['/etc/nginx'], restartOn: ['/etc/default/nginx'] }));

describe('planHost', () => {
  it('plans a reload with the file that makes it due', () => {
    const conf = placed(file('/etc/nginx/nginx.conf', { content: 'new' }));
    expect(
      plan([nginx, conf], { 'file:/etc/nginx/nginx.conf': null, 'service:nginx.service': running }),
    ).toEqual([
      { id: 'file:/etc/nginx/nginx.conf', action: 'create' },
      { id: 'service:nginx.service', action: 'reload', isTriggered: true },
    ]);
  });

  it('plans a reload where a folder above what the service reads is to be another one', () => {
    const folder = placed(directory('/etc'));
    const found = { kind: 'link', owner: 'root', group: 'root', mode: '0777' };
    expect(plan([nginx, folder], { 'directory:/etc': found, 'service:nginx.service': running })).toEqual([
      { id: 'directory:/etc', action: 'update' },
      { id: 'service:nginx.service', action: 'restart', isTriggered: true },
    ]);
  });

  it('plans a restart where one of the changes needs it', () => {
    const conf = placed(file('/etc/nginx/nginx.conf', { content: 'new' }));
    const defaults = placed(file('/etc/default/nginx', { content: 'new' }));
    const changes = plan([nginx, conf, defaults], { 'service:nginx.service': running });
    expect(changes.at(-1)).toEqual({
      id: 'service:nginx.service',
      action: 'restart',
      isTriggered: true,
    });
  });

  it('plans the reload that an earlier run did not come to, with nothing else to do', () => {
    expect(plan([nginx], { 'service:nginx.service': { ...running, reload: 'due' } })).toEqual([
      { id: 'service:nginx.service', action: 'reload' },
    ]);
  });

  it('names what nobody declares and a service would take up, but not what goes', () => {
    const paths = ['/etc/nginx/a.conf', '/etc/nginx/old.conf', '/etc/nginx/dir/b.conf'];
    const stale = { ...running, reload: 'due', undeclared: paths.join('\n') };
    const old = placed(file('/etc/nginx/old.conf', { absent: true }));
    const found = new Map<ResourceId, Actual>([
      ['service:nginx.service', stale],
      ['file:/etc/nginx/old.conf', { kind: 'file', owner: 'root', group: 'root', mode: '0644' }],
    ]);
    const { changes } = planHost('web1', [nginx, old], orderNodes('web1', [nginx, old]), found);
    expect(changes.get('service:nginx.service')?.takesUp).toEqual([
      '/etc/nginx/a.conf',
      '/etc/nginx/dir/b.conf',
    ]);
  });

  it('starts a stopped service once and does not reload it as well', () => {
    const conf = placed(file('/etc/nginx/nginx.conf', { content: 'new' }));
    const changes = plan([nginx, conf], { 'service:nginx.service': { ...running, running: false } });
    expect(changes.at(-1)).toEqual({ id: 'service:nginx.service', action: 'update' });
  });

  it('reloads as well what is to be enabled while its configuration changes', () => {
    const conf = placed(file('/etc/nginx/nginx.conf', { content: 'new' }));
    const states = new Map<ResourceId, Actual>([['service:nginx.service', { ...running, enabled: false }]]);
    const { changes } = planHost('web1', [nginx, conf], orderNodes('web1', [nginx, conf]), states);
    expect(changes.get('service:nginx.service')).toMatchObject({
      action: 'update',
      attributes: [{ name: 'enabled' }, { name: 'reload', from: 'due', to: 'not due' }],
    });
  });

  it('neither reloads nor restarts what is not to run', () => {
    const stopped = placed(service('nginx', { running: false, enabled: false, reloadOn: ['/etc/nginx'] }));
    const conf = placed(file('/etc/nginx/nginx.conf', { content: 'new' }));
    expect(
      plan([stopped, conf], { 'service:nginx.service': { ...running, running: false, enabled: false } }),
    ).toEqual([{ id: 'file:/etc/nginx/nginx.conf', action: 'create' }]);
  });

  it('says what brings the state that cannot be read yet', () => {
    const database = placed(service('mysql'));
    const user = placed(
      command('make user', { run: ['true'], unless: ['false'] }, { needs: ['service:mysql.service'] }),
    );
    const changes = plan([database, user], {
      'service:mysql.service': null,
      [user.id]: new Unreadable('the server does not run'),
    });
    expect(changes.at(-1)).toEqual({ id: user.id, action: 'run', knownAfter: 'service:mysql.service' });
  });

  it('plans a run where a package that is planned may bring the program of the guard', () => {
    const jq = placed(pkg('jq'));
    const make = placed(command('make it', { run: ['true'], unless: ['jq', '-e', '.', '/etc/x.json'] }));
    const notThere = make.type.probe([make.desired]).parse(Buffer.from('127\n'))[0] ?? null;
    expect(plan([jq, make], { [make.id]: notThere })).toContainEqual({
      id: make.id,
      action: 'run',
      knownAfter: 'package:jq',
    });
    const found = { [jq.id]: { installed: true, held: false }, [make.id]: notThere };
    expect(plan([jq, make], found)).toEqual([
      {
        id: make.id,
        action: 'update',
        unreadable: expect.stringContaining(
          'a program of its guard does not exist (exit status 127 of: jq -e . /etc/x.json)',
        ) as string,
      },
    ]);
  });

  it('plans the rest of a host where one resource cannot be read', () => {
    const nginx = placed(service('nginx', { reloadOn: ['/etc/nginx'] }));
    const own = placed(line('/etc/nginx/own.conf', { line: 'a' }));
    const other = placed(file('/srv/other', { content: 'x' }));
    const found = {
      'service:nginx.service': running,
      [own.id]: new Unreadable('it has 1099511627776 bytes'),
    };
    expect(plan([nginx, own, other], found)).toEqual([
      { id: own.id, action: 'update', unreadable: 'it has 1099511627776 bytes' },
      { id: 'file:/srv/other', action: 'create' },
    ]);
  });

  it('plans anew what lies behind a link that becomes a directory', () => {
    const folder = placed(directory('/srv/app'));
    const conf = placed(file('/srv/app/conf', { content: 'a' }));
    const found = {
      'directory:/srv/app': { kind: 'link', to: '/srv/old' },
      'file:/srv/app/conf': asDeclared(conf.type, conf.desired),
    };
    expect(plan([conf, folder], found)).toEqual([
      { id: 'directory:/srv/app', action: 'update' },
      { id: 'file:/srv/app/conf', action: 'create' },
    ]);
  });

  it('sees that files keep the former number of an owner who gets another', () => {
    const owner = placed(user('app', { uid: 901 }));
    const conf = placed(file('/srv/conf', { owner: 'app' }));
    const { kind, group, mode } = { kind: 'file', group: 'root', mode: '0644' };
    const found = { 'user:app': { uid: 900 }, 'file:/srv/conf': { kind, group, mode, owner: 'app' } };
    expect(plan([conf, owner], found)).toContainEqual({ id: 'file:/srv/conf', action: 'update' });
    const same = { uid: 901, homeDirectory: 'present', sharesUid: 'nothing' };
    expect(plan([conf, owner], { ...found, 'user:app': same })).toEqual([]);
  });

  it('plans the removal of what a package is about to bring', () => {
    const item = placed(pkg('nginx-light'));
    const stock = placed(
      link('/etc/nginx/sites-enabled/default', { absent: true }, { needs: ['package:nginx-light'] }),
    );
    expect(plan([item, stock], {})).toContainEqual({
      id: 'link:/etc/nginx/sites-enabled/default',
      action: 'delete',
      knownAfter: 'package:nginx-light',
    });
    expect(plan([item, stock], { 'package:nginx-light': { installed: true, held: false } })).toEqual([]);
  });

  describe('with a directory in which nothing undeclared may be', () => {
    const as = { kind: 'directory', owner: 'root', group: 'root', mode: '0755' };
    const conf = placed(file('/etc/nginx/conf.d/a.conf', { content: 'a' }));
    const own = asDeclared(conf.type, conf.desired);
    const exclusive = { exclusive: true, keep: ['own.conf'] };
    const states = (undeclared: string): Readonly<Record<ResourceId, Actual>> => ({
      'directory:/etc/nginx/conf.d': { ...as, undeclared },
      [conf.id]: own,
      'service:nginx.service': running,
      'package:nginx-light': { installed: true, held: false },
    });

    it('names what goes, and what has read it takes that up', () => {
      const folder = placed(directory('/etc/nginx/conf.d', exclusive));
      expect(plan([nginx, folder, conf], states('old/ (2 entries, 1 KiB), zzz.conf'))).toEqual([
        { id: 'directory:/etc/nginx/conf.d', action: 'update' },
        { id: 'service:nginx.service', action: 'reload', isTriggered: true },
      ]);
      expect(plan([nginx, folder, conf], states('nothing'))).toEqual([]);
    });

    it('reloads nothing that reads other files of it', () => {
      const reader = placed(service('nginx', { reloadOn: [conf.id.slice('file:'.length)] }));
      const folder = placed(directory('/etc/nginx/conf.d', exclusive));
      const changes = plan([reader, folder, conf], states('zzz.conf'));
      expect(changes).toEqual([{ id: 'directory:/etc/nginx/conf.d', action: 'update' }]);
    });

    it('neither reloads nor restarts what has never read it', () => {
      const folder = placed(directory('/etc/nginx/conf.d', exclusive));
      const foreign = (added: readonly string[], read: readonly string[] | undefined, isAll = true) => ({
        ...states('zzz.conf, zzz.conf~, old/ (1 entry, 1 KiB)'),
        'service:nginx.service': {
          ...running,
          reload: added.length > 0 || !isAll ? 'due: /etc/nginx/conf.d/zzz.conf added' : 'not due',
          foreign: foreignText([
            { action: 'reload', added, isAll, read },
            { action: 'restart', added: [], isAll: true, read: read ?? [] },
          ]),
        },
      });
      const services = (found: Readonly<Record<ResourceId, Actual>>) =>
        plan([nginx, folder, conf], found).filter(({ id }) => id === 'service:nginx.service');
      const at = '/etc/nginx/conf.d';
      const mime = '/etc/nginx/mime.types';
      expect(services(foreign([`${at}/zzz.conf`, `${at}/old/x`], [mime]))).toEqual([]);
      expect(services(foreign([], [mime]))).toEqual([]);
      const reloaded = [{ id: 'service:nginx.service', action: 'reload' }];
      expect(services(foreign([`${at}/zzz.conf`], [mime, `${at}/old/x`]))).toMatchObject(reloaded);
      expect(services(foreign([`${at}/zzz.conf`], [mime], false))).toMatchObject(reloaded);
      expect(services(foreign([`${at}/zzz.conf`, '/etc/nginx/other'], [mime]))).toMatchObject(reloaded);
      expect(services(foreign([], undefined))).toMatchObject(reloaded);
      expect(services(foreign([], [`${at}/zzz.conf`]))).toMatchObject(reloaded);
    });

    it('knows what is to go only after the package that it needs, and, made anew, after any before it', () => {
      const item = placed(pkg('nginx-light'));
      const named = placed(directory('/etc/nginx/conf.d', exclusive, { needs: [item.id] }));
      const folder = placed(directory('/etc/nginx/conf.d', exclusive));
      const knownAfter = 'package:nginx-light';
      const purged = { ...states('nothing'), [knownAfter]: null };
      const changeOf = (one: DeclaredResource, found: Readonly<Record<ResourceId, Actual>>) =>
        plan([item, one, conf], found).find(({ id }) => id === folder.id);
      expect(changeOf(named, purged)).toEqual({ id: folder.id, action: 'update', knownAfter });
      expect(changeOf(folder, purged)).toBeUndefined();
      for (const one of [named, folder]) {
        expect(changeOf(one, { ...purged, [folder.id]: null })).toEqual({
          id: folder.id,
          action: 'create',
          knownAfter,
        });
        expect(changeOf(one, states('nothing'))).toBeUndefined();
      }
    });

    it('goes live with the service that checks it, also where it is the whole of what that reads', () => {
      const checked = placed(
        service('nginx', { reloadOn: ['/etc/nginx/conf.d'], validate: ['nginx', '-t'] }),
      );
      const nodesWith = (attributes: Parameters<typeof directory>[1]) => {
        const folder = placed(directory('/etc/nginx/conf.d', attributes));
        const node = orderNodes('web1', [folder, conf, checked]).find(({ members }) =>
          members.includes(conf),
        );
        return node?.members.map(({ id }) => id);
      };
      expect(nodesWith(exclusive)).toEqual([
        'directory:/etc/nginx/conf.d',
        'file:/etc/nginx/conf.d/a.conf',
        'service:nginx.service',
      ]);
      expect(nodesWith({})).toEqual(['file:/etc/nginx/conf.d/a.conf', 'service:nginx.service']);
    });
  });
});
