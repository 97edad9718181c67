import { expect, it } from 'vitest';
import { aptRepository, command, directory, file, line, user } from '../../src/index.ts';
import { probeBatches } from '../../src/plan/probe.ts';
import { commandType } from '../../src/resources/command.ts';
import type { DeclaredPaths } from '../../src/resources/resource.ts';
import { placed as placedResource } from '../../src/testing/index.ts';
import { documentType, packageType, placed } from './model/types.ts';

it('probes all resources of a type together where what there is of one depends on the others', () => {
  const place = { role: 'web', play: 0 };
  const whole = { ...documentType, comparison: { together: true } as const };
  const declared = [
    placed(whole, { path: '/etc/a', text: 'a' }, place, []),
    placed(whole, { path: '/etc/b', text: 'b' }, place, []),
    placed(packageType, { name: 'alpha' }, place, []),
    placed(packageType, { name: 'beta' }, place, []),
  ];
  const [first, , third] = declared;
  if (first === undefined || third === undefined) throw new Error('nothing is declared');
  const ids = probeBatches([first, third], declared).map(({ resources }) => resources.map(({ id }) => id));
  expect(ids).toEqual([['document:/etc/a', 'document:/etc/b'], ['package:alpha']]);
});

it('tells a probe which paths other resources declare, whatever their type, and also those that are to go', () => {
  let seen: DeclaredPaths | undefined;
  const asking = {
    ...commandType,
    probe: (batch: Parameters<typeof commandType.probe>[0], host?: DeclaredPaths) => {
      seen = host;
      return commandType.probe(batch, host);
    },
  };
  const due = [
    placedResource({ type: asking, attributes: { name: 'x', run: ['true'], creates: '/x/made' } }),
  ];
  const declared = [
    directory('/etc/web'),
    file('/etc/web/old/site', { absent: true }),
    line('/etc/fstab', { line: 'x' }),
    aptRepository('sid', { uris: ['http://x'], suites: ['sid'] }),
    user('anna'),
    command('make it', { run: ['true'], creates: '/srv/made' }),
  ].map((resource) => placedResource(resource));
  probeBatches(due, [...due, ...declared]);
  const paths = [
    ...['/etc/web', '/etc/web/old/site', '/etc/fstab', '/home/anna', '/srv/made', '/x/made'],
    ...['/etc/apt/sources.list.d/sid.sources', '/etc/apt/preferences.d/sid'],
  ];
  expect(paths.filter((path) => seen?.owns(path) !== true)).toEqual([]);
  expect(['/etc', '/etc/web/old', '/etc/web/old/site/x'].filter((path) => seen?.owns(path))).toEqual([]);
  const above = ['/etc', '/etc/web/old', '/etc/web/old/site', '/var'];
  expect(above.filter((path) => seen?.ownsBelow(path))).toEqual(['/etc', '/etc/web/old']);
});
